"""Plots and summaries of a run."""
