"""settings.yaml of ``votca-mlp train``."""
