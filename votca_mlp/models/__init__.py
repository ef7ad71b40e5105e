"""Machine-learning potentials behind one contract."""
