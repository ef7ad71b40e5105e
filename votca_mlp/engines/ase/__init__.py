"""MD with ASE's structures and our own integrator: the default engine."""
