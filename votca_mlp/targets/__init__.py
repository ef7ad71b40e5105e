"""Measured g(r) or S(Q) to VOTCA target tables."""
