#!/usr/bin/env bash
# Bring the start configuration into the step directory; a crystal start needs none.

if [[ $1 = "--help" ]]; then
  echo "Usage: ${0##*/}   copies the start configuration of this step"
  exit 0
fi

from="$(csg_get_property cg.inverse.initial_configuration)"
program="$(csg_get_property cg.inverse.program)"
conf="$(csg_get_property --allow-empty "cg.inverse.$program.conf")"
if [[ $from = laststep && $(get_current_step_nr) -gt 1 ]]; then
  # the engine looks for conf.extxyz when the first start was a crystal
  start="${conf##*/}"
  cp_from_last_step --rename "$(csg_get_property "cg.inverse.$program.conf_out")" "${start:-conf.extxyz}"
elif [[ $from = maindir || $from = laststep ]]; then
  [[ -z $conf ]] && echo "No cg.inverse.$program.conf: starting from cg.inverse.ase.crystal" || cp_from_main_dir "$conf"
elif [[ $from != nowhere ]]; then
  die "${0##*/}: initial_configuration '$from' is not known (maindir, laststep or nowhere)"
fi
do_external convert_potentials "$program"
