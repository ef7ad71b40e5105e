#!/usr/bin/env bash
# VOTCA's own run_gromacs.sh (grompp, checkpoint, wall time, mdrun's command) with the model and the correction
# beside mdrun: votca-mlp starts it, answers mdrun, and ends both when one of them ends. With several states
# votca-mlp starts grompp and mdrun of each state itself.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   runs, or resumes, GROMACS with a machine-learning potential"
  exit 0
fi

if ! multistate; then
  VOTCA_MLP_RUN_GROMACS="$(find_in_csgshare run_gromacs.sh)"
  export VOTCA_MLP_RUN_GROMACS
fi
exec $VOTCA_MLP csg run
