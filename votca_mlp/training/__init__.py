"""Fitting MLPs."""
