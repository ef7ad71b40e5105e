"""Thin commands over the package's functions."""
