"""What a notebook uses: models, targets, corrections, simulations and finished runs, without any XML."""
