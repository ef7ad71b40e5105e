"""The sections of the rule ``gauss_newton``: of the run, and of each interaction."""

from typing import Literal

from votca_mlp.fields import Section, setting


class GaussNewtonSettings(Section):
    """cg.inverse.gauss_newton: the second-order update of all interactions at once."""

    amplitude: float | None = setting(
        None,
        gt=0,
        le=1,
        unit="eV",
        meaning="How large u(r) is expected to be: the standard deviation of its prior. Without it the data "
        "choose: the largest evidence.",
    )
    largest_u: float | None = setting(
        None,
        gt=0,
        le=10,
        unit="eV",
        meaning="Limit of the size of u(r) where a target g(r) is above 0.3: the likeliest u(r) within it is "
        "taken. Without it there is none.",
    )
    length: float = setting(
        0.4, gt=0, le=5, unit="Angstrom", meaning="Over which distance u(r) changes: the length of its prior."
    )
    knots: float = setting(
        0.2,
        gt=0,
        le=2,
        unit="Angstrom",
        meaning="Distance between the knots of the splines that u(r) is a sum of.",
    )
    trust_rdf: float = setting(
        0.5,
        gt=0,
        meaning="Largest change of a g(r) that a step may be predicted to make; beyond it it is cut short.",
    )
    trust_density: float = setting(
        0.05,
        gt=0,
        le=0.5,
        meaning="Largest relative change of the density that a step may be predicted to make.",
    )
    errors: Literal["independent", "simulated"] = setting(
        "independent",
        meaning="Of the targets: independent from point to point, as measured ones are taken to be, or "
        "simulated: those of a simulation of such a box. They are correlated as those of the run's own "
        "simulations, and say far more of slow parts of u(r).",
    )
    memory: int = setting(
        20, ge=1, meaning="So many iterations, the present one with them, are put together for a step."
    )


class GaussNewtonPair(Section):
    """cg.non-bonded.inverse.gauss_newton: what one interaction has of its own."""

    fit: bool = setting(
        True,
        meaning="Whether its g(r) is fitted; no: u(r) follows from the other data, such as <scattering>, "
        "and the target only says where g(r) begins and is compared.",
    )
    error: float | None = setting(
        None,
        gt=0,
        meaning="Standard error of the target g(r), where its table has no column of errors. Without either "
        "the errors of the simulation alone count.",
    )
