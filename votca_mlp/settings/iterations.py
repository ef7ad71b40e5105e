"""When the iterations stop, and the states that they fit."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, NonNegativeFloat, PositiveFloat

from votca_mlp.fields import CommandLine, Section, Words, setting
from votca_mlp.scattering.read import Written
from votca_mlp.targets.functions import FUNCTIONS


def _of_q(value: Any) -> Any:
    if value in FUNCTIONS and not FUNCTIONS[value].of_q:
        raise ValueError(
            "a function of r: of one pair of elements it is a <target>, a total one has lost what lies "
            "beyond its range of Q"
        )
    return value


class ConvergenceCheck(Section):
    """cg.inverse.convergence_check: when the iterations stop early."""

    type: str = setting(
        "none",
        accepted="none | default | chi2 | rms | largest | fit | plateau | data | a script's name",
        meaning="none: run iterations_max iterations. default: stop when the measure of post_add "
        "'convergence' falls below limit. The others compare g(r) with the target in every interaction. "
        "chi2: stop when the reduced chi^2 against the errors of both is not above limit (1 is agreement "
        "within noise); rms, largest: when the difference is not above limit; fit: when f_fit is not below "
        "limit; plateau: when the RMS has not improved beyond its error for some iterations; data (rule "
        "gauss_newton): when every datum is met within its errors, or when no u(r) can meet them any better.",
    )
    limit: float = setting(0.0, ge=0, meaning="Limit of the measure.")
    iterations: int = setting(
        3, ge=1, meaning="For plateau: iterations without an improvement before it stops."
    )


class TargetDensity(Section):
    """cg.inverse.target_density: the measured mass density, for the verdict and for rules that fit it."""

    value: float = setting(
        unit="kg/m3",
        gt=0,
        meaning="Measured mass density at the run's temperature and pressure; with several states, each has "
        "its own in its settings.xml. Of atoms of natural mass, as the simulation has them, also where "
        "the sample was of isotopes.",
    )
    sigma: float | None = setting(
        None,
        unit="kg/m3",
        gt=0,
        meaning="Standard error of the measurement; absent: the error of the simulated mean alone counts.",
    )


class TargetPressure(Section):
    """cg.inverse.target_pressure: what the pressure is to be at constant volume, for rules that fit it."""

    value: float = setting(
        unit="bar", meaning="Pressure of the real system at the run's temperature and density; often 1."
    )
    sigma: float | None = setting(
        None,
        unit="bar",
        gt=0,
        meaning="Standard error: how far off the pressure may be. Absent: the error of the simulated mean "
        "alone counts.",
    )


class ScatteringSettings(Section):
    """cg.inverse.scattering: a measured total scattering function; one section for each data set."""

    file: str = setting(
        accepted="a file with columns Q (1/Angstrom) and F(Q)",
        meaning="The measurement, as programs write it.",
    )
    name: str | None = setting(None, meaning="Of the data set; absent: the file's, without its ending.")
    radiation: Literal["neutron", "xray"] = setting(meaning="What was scattered.")
    isotopes: str = setting(
        "",
        accepted="such as D, or H:0.5 D:0.5 36Ar",
        meaning="For neutrons, the isotopes of the sample with their fractions; elements that are not "
        "named are natural.",
    )
    function: Annotated[Written, BeforeValidator(_of_q)] = setting(
        meaning="What the file's second column is: F(Q), zero at large Q; S(Q) = 1 + F(Q) or S - 1 of a "
        "normalised F; Q F(Q) or Q (S - 1).",
    )
    normalisation: Literal["none", "square_of_mean", "mean_of_squares"] = setting(
        meaning="What F was divided by: nothing (barn/sr an atom, for X-rays electrons^2), the square of the "
        "atoms' mean scattering length or form factor, or the mean of their squares."
    )
    columns: Annotated[tuple[int, ...], Words] = setting(
        (),
        accepted="two or three numbers of columns, such as 1 2 3",
        meaning="Where Q, the function and its standard error stand; needed where there are more than two "
        "columns and no heading says that the third is the error.",
    )
    sigma: float | None = setting(
        None, gt=0, meaning="Standard error of every point, in the function's unit, instead of a column."
    )
    q_min: float | None = setting(
        None, ge=0, unit="1/Angstrom", meaning="Where the use of the data begins; absent: where they begin."
    )
    q_max: float | None = setting(
        None, gt=0, unit="1/Angstrom", meaning="Where the use of the data ends; absent: where they end."
    )
    resolution: float = setting(
        0.0,
        ge=0,
        lt=1,
        meaning="Resolution of the instrument: full width at half maximum over Q; the simulated F(Q) goes "
        "through it.",
    )
    resolution_constant: float = setting(
        0.0, ge=0, unit="1/Angstrom", meaning="The part of that width which does not grow with Q."
    )
    weight: float = setting(1.0, ge=0, meaning="Of this data set in the fit; 0: only compared.")
    fit_scale: bool = setting(False, meaning="Whether a factor of the measurement is fitted and printed.")
    fit_background: bool = setting(False, meaning="Whether a constant is fitted and printed.")
    low_q: bool = setting(
        False,
        meaning="Whether data below 2 pi over half the box, which pair counts do not tell of, are compared "
        "at the wave vectors of the box, by direct summation; the box has to be a cube. no: with the pair "
        "counts and their continuation, as all other Q.",
    )


class PhaseSettings(Section):
    """cg.inverse.phase: how far a simulation may be from its reference before the run is stopped."""

    density: float = setting(
        0.1,
        gt=0,
        meaning="At constant pressure, the largest relative difference of the density from target_density; "
        "without it 2.5 times that from the first step's.",
    )
    drift: float = setting(
        0.02,
        gt=0,
        meaning="At constant pressure, the relative difference of the density from target_density that may "
        "not last: two simulations in a row beyond it (and beyond three sigma) end the run.",
    )
    pressure: float | None = setting(
        None,
        gt=0,
        unit="bar",
        meaning="At constant volume, the largest difference of the pressure from target_pressure; without "
        "that 2.5 times as far from the first step's. Absent: 5 N kBT/V, 37 kbar for liquid aluminium.",
    )


class MultistateSettings(Section):
    """cg.inverse.multistate: one correction fitted to several states at once."""

    enabled: bool = setting(False, meaning="Fit several thermodynamic states at once.")
    state_names: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="One folder of this name a state, with its inputs."
    )
    state_weights: Annotated[tuple[NonNegativeFloat, ...], Words] = setting(
        (),
        accepted="one number >= 0 a state",
        meaning="Weight of each state's update, normalised to a sum of 1; absent: all equal. A state of "
        "weight 0 is simulated and compared, but neither fitted nor waited for.",
    )
    state_kBTs: Annotated[tuple[PositiveFloat, ...], Words] = setting(
        (),
        unit="kJ/mol",
        accepted="one number > 0 a state",
        meaning="kBT of each state, and with it the temperature; absent: each state's own settings.xml, "
        "or this file, tells.",
    )
    temperature_terms: int = setting(
        1,
        ge=1,
        meaning="K of u(r; T) = sum_k ((T - T_ref)/T_scale)^k u_k(r), k below K: 1 is one u for all "
        "states, 2 adds a part linear in T. At most the number of different temperatures.",
    )
    launch: CommandLine | None = setting(
        None,
        accepted="a command, such as srun -n1",
        meaning="Put before the command that simulates one state; the states then run side by side.",
    )
