"""Machine-learning potentials behind one contract."""

# sets how OpenMP's threads wait, before torch is loaded
import votca_mlp.kernels  # noqa: F401

# says where compiled functions are kept, before numba is loaded
