#!/usr/bin/env bash
# The initial correction: NAME.pot.in of the main directory as it is, else zero. Never a Boltzmann inversion.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   writes NAME.pot.new and checks that the target can be resampled"
  exit 0
fi

name="$(csg_get_interaction_property name)"
do_external resample target "$(csg_get_interaction_property inverse.target)" "${name}.dist.tgt"
votca_mlp_csg prepare "$name"
