#!/usr/bin/env bash
# NAME.dpot.new of one interaction: the rule's update where do_potential says so, else zero.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes NAME.dpot.new"
  exit 0
fi

name="$(csg_get_interaction_property name)"
scheme=( $(csg_get_interaction_property inverse.do_potential) )
if [[ ${scheme[$(( ($(get_current_step_nr) - 1) % ${#scheme[@]} ))]} = 1 ]]; then
  echo "Update potential ${name} : yes"
  do_external potential shift --type "$(csg_get_interaction_property bondtype)" "${name}.dpot.pure_ibi" "${name}.dpot.new"
else
  echo "Update potential ${name} : no"
  grid="$(csg_get_interaction_property min):$(csg_get_interaction_property step):$(csg_get_interaction_property max)"
  do_external table dummy "$grid" "${name}.dpot.new"
fi
