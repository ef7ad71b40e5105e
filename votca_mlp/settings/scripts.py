"""Where the scripts that csg_inverse runs are: of use without any settings, so nothing is imported."""

from pathlib import Path

SCRIPT_DIRECTORY = Path(__file__).parents[1] / "csg" / "scripts"
"""What ``votca-mlp scriptpath`` prints."""

SCRIPTPATH = (
    '$(hash votca-mlp || die "votca-mlp is not on the PATH, source .venv/bin/activate"; votca-mlp scriptpath)'
)
"""What belongs into <scriptpath>: csg_inverse evaluates it; without ``hash`` it ends in its own words."""
