"""Simulation engines: run one step's MD and give a trajectory."""
