#!/usr/bin/env bash
# Judges g(r) against its target and the noise of both; leaves 'stop' in the step when the iterations are to end.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   convergence_check types chi2, rms, largest, fit and plateau"
  exit 0
fi

votca_mlp_csg converged
