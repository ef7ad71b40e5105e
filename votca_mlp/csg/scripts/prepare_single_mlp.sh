#!/usr/bin/env bash
# The initial correction: NAME.pot.in of the main directory as it is, else zero. Never a Boltzmann inversion.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes NAME.pot.new and checks that the target, of each state, can be resampled"
  exit 0
fi

for hook in post_update:postupd post_add:postadd; do
  for task in $(csg_get_interaction_property --allow-empty "inverse.${hook%:*}"); do
    [[ -n $(get_command_from_csg_tables "${hook#*:}" "$task") ]] || \
      die "${0##*/}: there is no ${hook%:*} task '$task'\nKnown: $(show_csg_tables | sed -n "s/^${hook#*:} \([^ ]*\) .*/\1/p" | sort -u | trim_all)"
  done
done

name="$(csg_get_interaction_property name)"
resampled() { #the target of an interaction (1st argument) on its grid; one whose g(r) is not fitted may have none
  local target
  target="$(csg_get_interaction_property --allow-empty inverse.target)"
  [[ -z $target ]] || do_external resample target "$target" "$1.dist.tgt"
}
export -f resampled
target_of_state() { #target of an interaction (1st argument) in the folder of a state that has it
  is_part "$1" "$(csg_get_property cg.non-bonded.name)" || return 0
  resampled "$1"
}
if multistate; then
  for_all_states target_of_state "$name" || die "${0##*/}: the target of a state failed"
else
  resampled "$name"
fi
votca_mlp_csg prepare "$name"
