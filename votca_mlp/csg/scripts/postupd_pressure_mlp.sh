#!/usr/bin/env bash
# VOTCA's pressure correction reads the pressure of GROMACS; with the other programs the barostat holds it.

[[ $1 = "--help" ]] && echo "VOTCA's pressure correction, for program gromacs" && exit 0
if [[ $(csg_get_property cg.inverse.program) = gromacs ]]; then
  exec "$(find_in_csgshare postupd_pressure.sh)" "$@"
fi
die "${0##*/}: post_update 'pressure' works with gromacs and lammps only\nSet cg.inverse.ase.ensemble to npt instead: the barostat then holds cg.inverse.ase.pressure"
