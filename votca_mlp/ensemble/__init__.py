"""Averages over frames: blocks, errors, weights."""
