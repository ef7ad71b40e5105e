"""Gauss-Newton inversion: u(r) from all data at once, with a prior, error bands and a trust region."""
