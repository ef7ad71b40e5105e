#!/usr/bin/env bash
# Sourced by csg_inverse and csg_call for program gromacs: ours, then VOTCA's own, which know GROMACS's files.

if [[ $1 = "--help" ]]; then
  echo "Functions for GROMACS with a machine-learning potential (votca-mlp)"
  exit 0
fi

source "$(find_in_csgshare functions_mlp.sh)" || die "${BASH_SOURCE[0]##*/}: functions_mlp.sh failed"
of_states="$(declare -f simulation_finish checkpoint_exist)"
source "$(find_in_csgshare functions_gromacs.sh)" || die "${BASH_SOURCE[0]##*/}: functions_gromacs.sh failed"
if multistate; then
  # VOTCA's look for one trajectory and one checkpoint, in the step's own folder
  eval "$of_states"
  export -f simulation_finish checkpoint_exist
fi
unset of_states
