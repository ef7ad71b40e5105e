"""VOTCA's door: the csg_table and scripts that csg_inverse finds, and the functions behind them."""

from pathlib import Path

SCRIPT_DIRECTORY = Path(__file__).parent / "scripts"
"""What ``votca-mlp scriptpath`` prints."""
