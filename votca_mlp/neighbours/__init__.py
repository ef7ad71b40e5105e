"""Ghost atoms, full and half neighbour lists, clusters, the Verlet skin; on the host and on a device."""

# says where compiled functions are kept, before numba is loaded
import votca_mlp.kernels  # noqa: F401
