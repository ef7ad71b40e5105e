"""Molecular dynamics with LAMMPS: the user's input script, forces of the package's own evaluator."""
