"""Model plus correction: energy, forces and stress of a configuration, on the host and on a device."""

# sets how OpenMP's threads wait, before torch is loaded
import votca_mlp.kernels  # noqa: F401
