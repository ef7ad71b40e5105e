"""Observables of stored frames, differentiable in a model's parameters and in the frames' weights."""
