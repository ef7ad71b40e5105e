"""Ghost atoms, full and half neighbour lists, clusters, the Verlet skin; on the host and on a device."""
