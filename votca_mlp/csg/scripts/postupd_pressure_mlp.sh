#!/usr/bin/env bash
# VOTCA's pressure correction for every program, with several states, and towards a density at constant pressure.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} infile outfile   adds A (1 - r/max) to the update"
  exit 0
fi

[[ -z $1 || -z $2 ]] && die "${0##*/}: Missing arguments"
votca_mlp_csg correct-pressure "$(csg_get_interaction_property name)" "$1" "$2"
