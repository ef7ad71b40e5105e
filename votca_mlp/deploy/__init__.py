"""What other programs load: TorchScript modules, ML-IAP, NNPot."""
