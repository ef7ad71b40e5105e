"""The text that says what a shipped model is."""

from collections.abc import Mapping
from typing import Any

from al_hipnn.judge import Liquid
from votca_mlp.training.judge import LabelErrors

_WHAT = """# al-hipnn: a small HIP-NN for aluminium

A HIP-NN (hippynn's architecture, one interaction layer) fitted to energies and forces computed with the
published ANI-Al ensemble (J. S. Smith et al., "Automated discovery of a robust interatomic potential for
aluminum", Nature Communications 12 (2021)). It is an emulator of ANI-Al for trying out votca-mlp without
other downloads; for science use ANI-Al or a model of your own. `scripts/train_al_hipnn.py` makes data, model
and this card again from the ANI-Al files.

**Licence.** ANI-Al is published without a licence. Its files and weights are not included here; only energies
and forces computed with it labelled the configurations, which were made for this purpose."""

_LEFT_OPEN = """Network and loss follow the appendix of S. Matin et al., "Machine learning potentials with
Iterative Boltzmann Inversion: training to experiment" (2023): RMSE and MAE of the energy per atom times 100,
RMSE and MAE of the forces, 1e-6 times the squared weights; Adam. The hard maximum printed there (5 A) lies
below the soft maximum (7 A), which cannot be; 7.5 A is used, as in hippynn's own example for aluminium. The
learning rate is halved after the patience given below, not after 25 epochs. The paper's model was fitted to
DFT, this one to ANI-Al, so their numbers differ."""


_CRYSTAL, _CHECKSUM = "## Crystal and melt", "SHA-256"


def model_card(
    provenance: Mapping[str, Any],
    errors: Mapping[str, Mapping[str, LabelErrors]],
    lattice: tuple[float, float],
    liquids: Mapping[str, Liquid],
    file_checksum: str,
) -> str:
    """Return the model card as markdown.

    Parameters
    ----------
    provenance
        As in the model file.
    errors
        On held-out frames, by kind of frame and of label.
    lattice
        fcc lattice constants of the model and of the labelling ensemble, Angstrom.
    liquids
        Melts by a title.
    file_checksum
        SHA-256 of the model file.
    """
    lines = [_WHAT, "", "## Network and fit", "", _LEFT_OPEN, ""]
    for name in ("made by", "hyperparameters", "fit", "frames", "labels", "versions", "machine"):
        lines.append(f"- {name}: {_plain(provenance.get(name, 'not recorded'))}")
    lines += ["", "## Errors on runs that were held out", ""]
    lines += [
        "| frames | number | E RMSE | E MAE | F RMSE | F MAE | RMS of F |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, found in errors.items():
        e, f = found["energies"], found["forces"]
        numbers = f"{e.rmse:.2f} | {e.mae:.2f} | {f.rmse:.3f} | {f.mae:.3f}"
        lines.append(f"| {kind} | {e.labels} | {numbers} | {f.spread:.2f} |")
    lines += ["", "Energies in meV per atom, forces by component in eV/Angstrom."]
    lines += ["", *crystal_and_melts(lattice, liquids)]
    lines += ["", f"{_CHECKSUM} of `al-hipnn.pt`: `{file_checksum}`", ""]
    return "\n".join(lines)


def crystal_and_melts(lattice: tuple[float, float], liquids: Mapping[str, Liquid]) -> list[str]:
    """Return the lines of the section on crystal and melts; see :func:`model_card`."""
    lines = [_CRYSTAL, ""]
    lines.append(
        f"- fcc lattice constant: {lattice[0]:.4f} A (ANI-Al with the same code: {lattice[1]:.4f} A)"
    )
    if liquids:
        lines.append("- melts start as crystals with velocities of twice the melting temperature")
    for title, melt in liquids.items():
        peak = f"first peak of g(r) {melt.peak_height:.3f} at {melt.peak_position:.3f} A"
        extremes = f"closest pair at any step {melt.closest:.2f} A, highest temperature {melt.hottest:.0f} K"
        lines.append(f"- {title}: {peak}; {extremes}")
    return lines


def judged_again(card: str, lattice: tuple[float, float], liquids: Mapping[str, Liquid]) -> str:
    """Return a card with its section on crystal and melts made anew; the rest stays as it is."""
    before, found, after = card.partition(_CRYSTAL)
    if not found or _CHECKSUM not in after:
        raise ValueError("the card has no section on crystal and melts")
    section = "\n".join(crystal_and_melts(lattice, liquids))
    return f"{before}{section}\n\n{_CHECKSUM}{after.partition(_CHECKSUM)[2]}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
