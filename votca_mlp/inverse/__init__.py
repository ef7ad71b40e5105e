"""The loop of our own: csg_inverse's iterations, files and habits in one process, without VOTCA."""
