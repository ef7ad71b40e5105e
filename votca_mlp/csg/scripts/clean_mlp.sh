#!/usr/bin/env bash
# VOTCA's cleanlist, in the folders of several states too; before it the last word on the potentials.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   removes the files of cg.inverse.cleanlist"
  exit 0
fi

if [[ $(csg_get_property cg.inverse.method) = imc ]]; then
  # the error band of u(r), which VOTCA's scripts leave out
  votca_mlp_csg bands
fi
if grep -q '<checks' "$CSGXMLFILE"; then
  # before the trajectories may go
  votca_mlp_csg checks
fi
stock="$(find_in_csgshare clean_generic.sh)"
if multistate; then
  for_all_states "$stock" || die "${0##*/}: cleaning up a state failed"
fi
exec "$stock"
