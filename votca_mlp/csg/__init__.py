"""VOTCA's door: the csg_table and scripts that csg_inverse finds, and the functions behind them."""

from votca_mlp.settings.layout import SCRIPT_DIRECTORY

__all__ = ["SCRIPT_DIRECTORY"]
