"""MD with ASE's structures and our own integrator: the default engine."""

# says where compiled functions are kept, before numba is loaded
import votca_mlp.kernels  # noqa: F401
