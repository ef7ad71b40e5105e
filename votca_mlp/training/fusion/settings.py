"""The section ``experiments`` of settings.yaml: state points, what was measured in them, how to fuse."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from votca_mlp.fields import PLAIN_NAME, Section, setting
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.quantities import QUANTITIES
from votca_mlp.training.fusion.rest_quantities import REST_QUANTITIES
from votca_mlp.training.fusion.states import StatePoint


class StateSettings(Section):
    """A state point: the ensemble that trajectories are run in."""

    temperature: PositiveFloat = setting(unit="K", meaning="Temperature.")
    start: str = setting(
        meaning="Configuration that ASE reads, relative to the settings, in a rectangular periodic box; "
        "without a pressure, its cell is kept."
    )
    pressure: float | None = setting(
        None, unit="bar", meaning="Pressure of the barostat; none: constant volume."
    )
    timestep: PositiveFloat = setting(StatePoint.timestep, unit="fs", meaning="Time step.")
    equilibration: float = setting(
        StatePoint.equilibration, ge=0, unit="fs", meaning="Before the production of each trajectory."
    )
    production: PositiveFloat = setting(StatePoint.production, unit="fs", meaning="Length of a trajectory.")
    sample_every: PositiveFloat = setting(
        StatePoint.sample_every, unit="fs", meaning="Time between two frames."
    )


class MeasuredSettings(Section):
    """A measurement at a state, or what is known of configurations at rest: named values, or a curve."""

    state: str | None = setting(None, meaning="Name of the state; none for configurations at rest.")
    quantity: str = setting(
        meaning="What was measured.", accepted=" | ".join([*QUANTITIES, *REST_QUANTITIES])
    )
    values: dict[str, float] = setting(
        {}, meaning="By name, such as C11; those that are left out are not compared.", accepted="NAME: number"
    )
    errors: dict[str, float] = setting({}, meaning="Standard errors by name.", accepted="NAME: number")
    file: str | None = setting(
        None, meaning="Table of a curve, such as r, g(r) and its error, relative to the settings."
    )
    configurations: tuple[str, ...] = setting(
        (),
        meaning="What is at rest, in files that ASE reads: two for an energy_difference (second less first), "
        "one crystal for cold_elastic and cold_lattice.",
        accepted="[hcp.extxyz, bcc.extxyz]",
    )
    crystal: str = setting("cubic", meaning="Crystal class of elastic constants.")
    species: tuple[str, ...] = setting(
        (),
        meaning="Chemical symbols: two of rdf and structure_factor, three of angles, the middle atom first.",
        accepted="[Al, Al]",
    )
    reach: PositiveFloat | None = setting(
        None,
        unit="Angstrom",
        accepted="a number > 0",
        meaning="Where the transform of S(Q) and F(Q) ends; what angles count as neighbours.",
    )
    radiation: Literal["neutron", "xray"] = setting("neutron", meaning="Of scattering.")
    isotopes: str = setting(
        "", meaning="Of the sample, for scattering of neutrons; natural where not named.", accepted="D | 36Ar"
    )
    written: Literal["F", "S", "S-1", "QF", "Q(S-1)"] = setting(
        "F", meaning="What the second column of scattering is; S and S - 1 are normalised."
    )
    normalisation: Literal["none", "square_of_mean", "mean_of_squares"] = setting(
        "none", meaning="What F(Q) is divided by: nothing, `<b>^2` or `<b^2>`."
    )
    multiples: dict[str, dict[str, PositiveFloat]] = setting(
        {},
        meaning="Of lattice and cold_lattice: by lattice constant the edges of the box and how many times "
        "the constant they are.",
        accepted="NAME: {x: 4, y: 4, z: 4}",
    )
    temperature: PositiveFloat | None = setting(
        None, unit="K", accepted="a number > 0", meaning="Of the measurement; it has to be that of the state."
    )
    volume: PositiveFloat | None = setting(
        None,
        unit="Angstrom^3",
        accepted="a number > 0",
        meaning="Of the measured sample by atom; it has to be that of the state.",
    )


class ExperimentsSettings(Section):
    """Experiments that the trained model is then fused with, held to its labels."""

    states: dict[Annotated[str, Field(pattern=PLAIN_NAME)], StateSettings] = setting(
        {}, meaning="State points by name.", accepted="NAME: {temperature: 300, start: solid.extxyz}"
    )
    measured: tuple[MeasuredSettings, ...] = setting(
        meaning="What was measured, with errors.", accepted="a list"
    )
    level: str | None = setting(None, meaning="Level of theory whose potential is fused, of several.")
    iterations: PositiveInt = setting(FusionOptions.iterations, meaning="At most so many steps.")
    effective: float = setting(
        FusionOptions.effective,
        gt=0,
        le=1,
        meaning="A new trajectory is run where the stored frames are worth less than this share of one.",
    )
    variance: PositiveFloat = setting(
        FusionOptions.variance, meaning="Largest variance of U/kBT over a state's frames by one step."
    )
    probes: int = setting(
        FusionOptions.probes,
        ge=0,
        meaning="Random combinations of a state's frames by which that variance is known; 0: every frame, "
        "exactly.",
    )
    keep: PositiveInt = setting(FusionOptions.keep, meaning="Trajectories of a state in use at once.")
    label_weight: float = setting(
        FusionOptions.label_weight,
        ge=0,
        meaning="First factor of the labels' chi^2 beside that of the experiments.",
    )
    energy_limit: float = setting(
        1.5, ge=1, meaning="Largest error of energies, held out or learnt from, relative to before fusion."
    )
    force_limit: float = setting(1.06, ge=1, meaning="The same of forces.")
    stress_limit: float = setting(1.5, ge=1, meaning="The same of the stress.")
    held_alone: bool = setting(
        FusionOptions.held_alone,
        meaning="Whether these limits are of held-out labels alone: for a model with far smaller errors on "
        "those that it learnt from.",
    )
    by_kind: bool = setting(
        FusionOptions.by_kind,
        meaning="Whether the labels' weight grows by kind (energies, forces, stress), for those that a full "
        "step takes beyond their limit.",
    )
    wall: float = setting(
        FusionOptions.wall,
        ge=0,
        le=0.9,
        meaning="Smallest share that a step may leave of what pushing two atoms together costs.",
    )
    patience: PositiveInt = setting(FusionOptions.patience, meaning="Iterations without a better model.")
    fixed: tuple[str, ...] = setting(
        ("sensitivity",), meaning="Parts of names of parameters that are held.", accepted="a list"
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "cpu", meaning="Where trajectories are run; observables and labels are on the CPU."
    )
    seed: int = setting(1, ge=0, lt=2**32, meaning="Of velocities and of the trust region's samples.")

    def options(self) -> FusionOptions:
        """Return them as the loop takes them.

        Raises
        ------
        UserError
            A number out of its bounds.
        """
        names = [
            "iterations",
            "effective",
            "variance",
            "keep",
            "label_weight",
            "held_alone",
            "by_kind",
            "wall",
        ]
        names += ["patience", "probes", "seed"]
        limits = {"energy": self.energy_limit, "force": self.force_limit, "stress": self.stress_limit}
        return FusionOptions(**{name: getattr(self, name) for name in names}, limits=limits)
