"""One pair of types: grid, target and update."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, create_model

from votca_mlp.fields import PLAIN_NAME, Section, Words, setting
from votca_mlp.targets.choices import RdfWindowKind
from votca_mlp.targets.window import RdfWindow
from votca_mlp.update.registry import rules
from votca_mlp.update.rule import PairGrid

TARGET = "a VOTCA table r (nm), g(r), covering min to max"


class WindowSettings(Section):
    """cg.non-bonded.inverse.window: the range of Q and the window that the target was made with."""

    q_max: float | None = setting(
        None,
        gt=2,
        le=80,
        unit="1/Angstrom",
        meaning="Where the data end that the target g(r) was made of. The simulated g(r) goes through the "
        "same before it is compared; NAME.dist.sharp has it as it is. Absent: the target is the liquid's "
        "own g(r).",
    )
    function: RdfWindowKind = setting(
        "lorch",
        meaning="The window of that transform: lorch, sin(x)/x with x = pi Q/q_max, or none.",
    )


class PairTags(Section):
    """One cg.non-bonded section, without the sections of the update rules."""

    name: str = setting(
        pattern=PLAIN_NAME,
        accepted="letters, digits, - _ + . without blanks, at most 100, such as Al-Al",
        meaning="Name of the interaction; names its files (NAME.dist.tgt, NAME.pot.cur).",
    )
    type1: str = setting(accepted="a chemical symbol", meaning="First bead type, a chemical symbol.")
    type2: str = setting(accepted="a chemical symbol", meaning="Second bead type, a chemical symbol.")
    min: float = setting(unit="nm", ge=0, meaning="First point of the grid of g(r) and u(r).")
    max: float = setting(
        unit="nm", gt=0, meaning="Last point of the grid, the cutoff of u(r); below half the box."
    )
    step: float = setting(unit="nm", ge=1e-5, meaning="Spacing of the grid.")
    target: str | None = setting(
        None,
        accepted=TARGET,
        meaning="Measured g(r), relative to the main directory. Needed, but for the rule gauss_newton with "
        "<fit>no</fit> in the interaction: without a target u(r) begins at <min>, and g(r) is compared with "
        "nothing.",
    )
    do_potential: Annotated[tuple[Annotated[int, Field(ge=0, le=1)], ...], Words] = setting(
        (1,),
        accepted="0 and 1 separated by spaces",
        min_length=1,
        meaning="Cycle of updates: 1 updates, 0 does not. '1 1 0' leaves out every third iteration.",
    )
    post_update: Annotated[tuple[str, ...], Words] = setting(
        (),
        accepted="names separated by spaces",
        meaning="VOTCA's scripts that change the update, in order. pressure, with p_target, particle_dens "
        "and post_update_options.pressure as in VOTCA, works with every engine; at constant pressure it goes "
        "for target_density.",
    )
    post_add: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="VOTCA's scripts that follow the update, in order."
    )
    window: WindowSettings = WindowSettings()

    @property
    def seen_through(self) -> RdfWindow | None:
        """Through what the target was seen, None where nothing is said of it."""
        return None if self.window.q_max is None else RdfWindow(self.window.q_max, self.window.function)

    @property
    def grid(self) -> PairGrid:
        """Name, types and grid."""
        return PairGrid(self.name, (self.type1, self.type2), self.min, self.max, self.step)

    def options(self, rule: str) -> Section:
        """Return the section of an update rule."""
        section = getattr(self, rule)
        assert isinstance(section, Section)
        return section


if TYPE_CHECKING:

    class Interaction(PairTags):
        """One cg.non-bonded section, with a section for each update rule of the registry."""
else:
    Interaction = create_model(
        "Interaction",
        __base__=PairTags,
        __doc__="One cg.non-bonded section.",
        **{name: (entry.options, entry.options()) for name, entry in rules().items()},
    )
