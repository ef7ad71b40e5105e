#!/usr/bin/env bash
# The potentials of the last step become the current ones.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   copies every NAME.pot.new of the last step to NAME.pot.cur"
  exit 0
fi

for_all "non-bonded bonded" 'cp_from_last_step --rename $(csg_get_interaction_property name).pot.new $(csg_get_interaction_property name).pot.cur'
