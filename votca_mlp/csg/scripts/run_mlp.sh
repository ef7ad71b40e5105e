#!/usr/bin/env bash
# MD of this step. Takes over this process, so that csg_inverse is its parent and it can end with csg_inverse.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   runs, or resumes, the simulation of the current step"
  exit 0
fi

exec $VOTCA_MLP csg run
