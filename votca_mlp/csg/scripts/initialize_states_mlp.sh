#!/usr/bin/env bash
# With several states: the shared potentials into the step, then files, potentials and start of each state into its
# folder there. With one state VOTCA's own script.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   brings potentials and start configurations of this step into place"
  exit 0
fi

multistate || exec "$(find_in_csgshare initialize_step_generic.sh)" "$@"

do_external copy potentials
votca_mlp_csg begin-states
