#!/usr/bin/env bash
# Sourced by csg_inverse and csg_call for program gromacs: ours, then VOTCA's own, which know GROMACS's files.

if [[ $1 = "--help" ]]; then
  echo "Functions for GROMACS with a machine-learning potential (votca-mlp)"
  exit 0
fi

source "$(find_in_csgshare functions_mlp.sh)" || die "${BASH_SOURCE[0]##*/}: functions_mlp.sh failed"
source "$(find_in_csgshare functions_gromacs.sh)" || die "${BASH_SOURCE[0]##*/}: functions_gromacs.sh failed"
