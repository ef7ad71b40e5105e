"""Fitting MLPs."""

# says where compiled functions are kept, before numba is loaded
import votca_mlp.kernels  # noqa: F401
