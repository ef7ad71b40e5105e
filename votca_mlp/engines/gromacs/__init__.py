"""The engine ``gromacs``: mdrun moves the atoms, the package's evaluator beside it gives the forces."""
