#!/usr/bin/env bash
# VOTCA's post_update task ibi; with several states it makes the update that they share.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} infile outfile   the infile is ignored when inverse.post_update_options.ibi.do is 1"
  exit 0
fi

multistate || exec "$(find_in_csgshare postupd_ibi.sh)" "$@"

name="$(csg_get_interaction_property name)"
scheme=( $(csg_get_interaction_property inverse.post_update_options.ibi.do) )
if [[ ${scheme[$(( ($(get_current_step_nr) - 1) % ${#scheme[@]} ))]} = 1 ]]; then
  votca_mlp_csg update-states "$name"
  do_external potential shift --type "$(csg_get_interaction_property bondtype)" "${name}.dpot.pure_ibi" "$2"
else
  do_external postupd dummy "$1" "$2"
fi
