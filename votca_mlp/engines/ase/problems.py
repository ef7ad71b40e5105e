"""Values of ``cg.inverse.ase`` that contradict each other."""

from collections.abc import Iterator, Mapping

from votca_mlp.elements import SYMBOLS
from votca_mlp.engines.ase.options import AseSettings
from votca_mlp.engines.engine import Finding
from votca_mlp.units import ANGSTROM_PER_NM

MOST_ATOMS = 20_000_000
"""More than any simulation of this kind can have."""


def time_problems(ase: AseSettings) -> Iterator[Finding]:
    """Yield times that are no multiples of the time step, and productions with too few frames."""
    multiples: Mapping[str, float] = {
        "sample_every": ase.sample_every,
        "checkpoint_every": ase.checkpoint_every,
    }
    for tag, value in multiples.items():
        steps = value / ase.timestep
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
            default = "" if tag in ase.model_fields_set else " by default"
            what = f"is {value:g} fs{default}, not a multiple of the timestep {ase.timestep:g} fs"
            better = max(1, round(steps)) * ase.timestep
            yield tag, what, f"for example {better:g} fs"
    # a division such as 0.3 / 0.1 must not lose a frame
    frames = int(ase.production / ase.sample_every * (1 + 1e-9))
    if frames < 1:
        what = f"is {ase.production:g} fs, shorter than sample_every {ase.sample_every:g} fs: no frame"
        yield "production", what, f"at least {ase.sample_every:g} fs"
    elif ase.rdf.with_errors and frames < 2 * ase.rdf.block_length:
        what = f"is {ase.rdf.block_length} frames, but production gives {frames}: errors need two blocks"
        hint = f"at most {frames // 2}" if frames > 1 else "a longer production"
        yield "rdf.block_length", what, hint
    if ase.first_frame > frames:
        what = f"is {ase.first_frame}, but production gives {frames} frames"
        yield "first_frame", what, f"at most {frames}"


def start_problems(ase: AseSettings, r_max: float) -> Iterator[Finding]:
    """Yield a start that is missing, double, or smaller than ``r_max`` (Angstrom) asks for."""
    if ase.conf is None and ase.crystal is None:
        yield "", "has no start", "<conf> with a file, or <crystal>"
    if ase.conf is not None and ase.crystal is not None:
        yield "crystal", "is given beside <conf>", "one of the two"
    if ase.crystal is None:
        return
    crystal = ase.crystal
    if crystal.element not in SYMBOLS:
        yield "crystal.element", f"is '{crystal.element}'", "a chemical symbol such as Al"
    if crystal.lattice_constant < 1.0:
        what = f"is {crystal.lattice_constant:g} Angstrom, which looks like nm"
        hint = f"Angstrom; {crystal.lattice_constant:g} nm is {crystal.lattice_constant * ANGSTROM_PER_NM:g}"
        yield "crystal.lattice_constant", what, hint
        return
    if crystal.n_atoms > MOST_ATOMS:
        yield "crystal.repeat", f"makes {crystal.n_atoms} atoms", f"at most {MOST_ATOMS} atoms"
        return
    half = min(crystal.repeat) * crystal.lattice_constant / 2
    if half < r_max:
        what = f"makes a box whose half, {half:.4g} Angstrom, is below max, {r_max:.4g} Angstrom"
        needed = int(-(-2 * r_max // crystal.lattice_constant))
        yield "crystal.repeat", what, f"at least {needed} along each axis"
