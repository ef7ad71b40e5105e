"""The pair correction u(r): Akima table, ASE calculator, torch module."""
