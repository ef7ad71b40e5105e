#!/usr/bin/env bash
# The engine reads NAME.pot.cur itself; this only finds a bad table before the simulation starts.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   checks that every NAME.pot.cur can be used"
  exit 0
fi

votca_mlp_csg check-potentials
