#!/usr/bin/env bash
# Writes a potential as the engine uses it: r (nm), u (kJ/mol), force (kJ/mol/nm).

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/} NAME.pot.cur OUTPUT"
  exit 0
fi

[[ -z $1 || -z $2 ]] && die "${0##*/}: Missing arguments"
votca_mlp_csg convert "$1" "$2"
