"""Aluminium at two levels of theory; see scripts/fidelities_metal.py."""
