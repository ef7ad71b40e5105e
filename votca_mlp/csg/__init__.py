"""VOTCA's door: the csg_table and scripts that csg_inverse finds, and the functions behind them."""
