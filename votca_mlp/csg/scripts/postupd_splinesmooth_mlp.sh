#!/usr/bin/env bash
# VOTCA's splinesmooth, but with constants outside the sampled range: its spline would run on there as a cubic,
# which puts a deep hole or a wall into the core.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} infile outfile"
  exit 0
fi

[[ -z $1 || -z $2 ]] && die "${0##*/}: Missing arguments"
"$(find_in_csgshare postupd_splinesmooth.sh)" "$1" "$2.spline"
votca_mlp_csg hold "$2.spline" "$2"
