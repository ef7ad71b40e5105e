#!/usr/bin/env bash
# Runs a script that works on NAME.pot.* or NAME.dpot.* for every term of u(r; T): with temperature_terms above 1,
# NAME.term1 and so on stand in its settings as interactions of their own.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} script [arguments]"
  exit 0
fi

script="$(find_in_csgshare "$1")" || die "${0##*/}: Could not find $1"
if multistate && [[ $(csg_get_property cg.inverse.multistate.temperature_terms) -gt 1 ]]; then
  votca_mlp_csg term-settings terms.xml
  export CSG_RUN_XMLFILE="$CSGXMLFILE" CSGXMLFILE="$PWD/terms.xml"
  remember_settings || exit
fi
exec "$script" "${@:2}"
