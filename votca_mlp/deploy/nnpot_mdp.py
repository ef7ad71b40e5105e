"""The lines of an mdp file that load a module of model + correction through GROMACS's NNPot interface."""

from votca_mlp.units import ANGSTROM_PER_NM

MODULE = "nnpot.pt"
MARGIN = 0.1
"""nm by which NNPot's own list reaches beyond the cutoff; it is renewed every nstlist steps."""
PAIRS_SINCE = 2026
_INPUTS = ("atom-positions", "atom-numbers", "box", "pbc")
_PAIR_INPUTS = ("atom-pairs", "pair-shifts")


def mdp_fragment(module: str, year: int, cutoff: float | None = None) -> str:
    """Return the lines of an mdp file that load a module.

    Parameters
    ----------
    year
        Of GROMACS: from 2026 on with its own pairs.
    cutoff
        Of model and correction, Angstrom; without it no pairs are asked for.
    """
    inputs: tuple[str, ...] = _INPUTS
    lines = ["nnpot-active = yes", f"nnpot-modelfile = {module}", "nnpot-input-group = System"]
    if year >= PAIRS_SINCE and cutoff is not None:
        inputs += _PAIR_INPUTS
        lines.append(f"nnpot-pair-cutoff = {cutoff / ANGSTROM_PER_NM + MARGIN:.4g}")
    lines += [f"nnpot-model-input{number} = {name}" for number, name in enumerate(inputs, start=1)]
    return "\n".join(lines) + "\n"
