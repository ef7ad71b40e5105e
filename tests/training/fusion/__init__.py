"""Fusion of DFT data and experiments."""
