"""Update rules and convergence measures."""
