#!/usr/bin/env bash
# VOTCA's pressure correction reads the pressure of GROMACS or LAMMPS; here the barostat holds it.

[[ $1 = "--help" ]] && echo "Not available with program ase" && exit 0
die "${0##*/}: post_update 'pressure' works with gromacs and lammps only\nSet cg.inverse.ase.ensemble to npt instead: the barostat then holds cg.inverse.ase.pressure"
