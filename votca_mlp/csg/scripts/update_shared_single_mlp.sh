#!/usr/bin/env bash
# NAME.dpot.new of one interaction: the rule's update where do_potential says so, else zero. Method imc has made the
# updates of all before; with several states and ibi that of the interaction is made here.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes NAME.dpot.new"
  exit 0
fi

name="$(csg_get_interaction_property name)"
scheme=( $(csg_get_interaction_property inverse.do_potential) )
if [[ ${scheme[$(( ($(get_current_step_nr) - 1) % ${#scheme[@]} ))]} = 1 ]]; then
  echo "Update potential ${name} : yes"
  [[ $(csg_get_property cg.inverse.method) = imc ]] || votca_mlp_csg update-states "$name"
  do_external potential shift --type "$(csg_get_interaction_property bondtype)" "${name}.dpot.pure_ibi" "${name}.dpot.new"
else
  echo "Update potential ${name} : no"
  grid="$(csg_get_interaction_property min):$(csg_get_interaction_property step):$(csg_get_interaction_property max)"
  do_external table dummy "$grid" "${name}.dpot.new"
fi
