"""HIP-NN: the network, its files, and compiled loops for one species and one interaction layer."""
