"""Training to experiments beside DFT: observables with gradients, reweighted frames."""
