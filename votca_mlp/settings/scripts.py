"""Where the scripts that csg_inverse runs are: of use without any settings, so nothing is imported."""

from pathlib import Path

SCRIPT_DIRECTORY = Path(__file__).parents[1] / "csg" / "scripts"
"""What ``votca-mlp scriptpath`` prints."""
