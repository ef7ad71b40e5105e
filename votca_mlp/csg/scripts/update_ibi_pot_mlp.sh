#!/usr/bin/env bash
# The (weighted) iterative Boltzmann inversion update of one interaction.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} target_rdf new_rdf cur_pot outfile kBT"
  exit 0
fi

[[ $# -eq 5 ]] || die "${0##*/}: 5 arguments are needed"
votca_mlp_csg update "$(csg_get_interaction_property name)" "$@"
