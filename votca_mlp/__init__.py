"""Correct machine-learning potentials to measured radial distribution functions with VOTCA-CSG."""

__version__ = "0.1.0"
