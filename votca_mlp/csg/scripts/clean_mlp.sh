#!/usr/bin/env bash
# VOTCA's cleanlist, in the folders of several states too.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   removes the files of cg.inverse.cleanlist"
  exit 0
fi

stock="$(find_in_csgshare clean_generic.sh)"
if multistate; then
  for_all_states "$stock" || die "${0##*/}: cleaning up a state failed"
fi
exec "$stock"
