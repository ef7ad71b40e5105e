"""What is checked at the end of a run beside g(r)."""

from typing import Annotated, Literal

from votca_mlp.fields import Section, Words, setting

Check = Literal["diffusion", "density", "angles", "coordination"]


class FinalChecks(Section):
    """cg.inverse.checks: measured at the end, with the correction and without it, and never fitted."""

    observables: Annotated[tuple[Check, ...], Words] = setting(
        ("density", "angles", "coordination"),
        accepted="some of diffusion density angles coordination",
        meaning="diffusion: self-diffusion coefficient (Einstein relation), by a simulation of its own at "
        "constant volume; density, and distribution of the angles between neighbours and their mean number, "
        "of the first and the last step's simulations; of several species for each kind as well.",
    )
    reach: float | None = setting(
        None,
        gt=0,
        unit="Angstrom",
        meaning="Distance up to which atoms are neighbours; absent: the first minimum of each interaction's "
        "target, of all species together that of the first's.",
    )
    trajectories: int = setting(
        30, ge=2, meaning="Of diffusion: pieces of the simulation, whose scatter gives the error."
    )
    length: float = setting(1000.0, gt=0, unit="fs", meaning="Of diffusion: length of each.")
    sample_every: float = setting(
        10.0, gt=0, unit="fs", meaning="Of diffusion: time between two frames of them."
    )
    fit_from: float = setting(
        0.0, ge=0, unit="fs", meaning="Of diffusion: start of the straight line in each; 0 as in the paper."
    )
    equilibration: float = setting(1000.0, ge=0, unit="fs", meaning="Of diffusion: length before them.")
    viscosity: float | None = setting(
        None,
        gt=0,
        unit="mPa s",
        meaning="Of diffusion: the liquid's, from elsewhere; with it diffusion is given for an infinite box, "
        "too, in a cubic box (Yeh and Hummer).",
    )
    timestep: float = setting(1.0, gt=0, unit="fs", meaning="Of diffusion: MD time step.")
