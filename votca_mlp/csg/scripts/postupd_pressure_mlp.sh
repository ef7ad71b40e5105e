#!/usr/bin/env bash
# VOTCA's pressure correction reads the pressure of GROMACS; with the other programs the barostat holds it.

[[ $1 = "--help" ]] && echo "VOTCA's pressure correction, for program gromacs" && exit 0
if [[ $(csg_get_property cg.inverse.program) = gromacs ]]; then
  exec "$(find_in_csgshare postupd_pressure.sh)" "$@"
fi
die "${0##*/}: post_update 'pressure' works with program gromacs only\nWith ase set cg.inverse.ase.ensemble to npt, with lammps use fix npt: the barostat then holds the pressure"
