#!/usr/bin/env bash
# With several states the weighted sum of their updates. With one state VOTCA's own script.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes the update of one interaction, NAME.dpot.new"
  exit 0
fi

multistate || exec "$(find_in_csgshare update_ibi_single.sh)" "$@"

name="$(csg_get_interaction_property name)"
scheme=( $(csg_get_interaction_property inverse.do_potential) )
if [[ ${scheme[$(( ($(get_current_step_nr) - 1) % ${#scheme[@]} ))]} = 1 ]]; then
  echo "Update potential ${name} : yes"
  votca_mlp_csg update-states "$name"
  do_external potential shift --type "$(csg_get_interaction_property bondtype)" "${name}.dpot.pure_ibi" "${name}.dpot.new"
else
  echo "Update potential ${name} : no"
  grid="$(csg_get_interaction_property min):$(csg_get_interaction_property step):$(csg_get_interaction_property max)"
  do_external table dummy "$grid" "${name}.dpot.new"
fi
