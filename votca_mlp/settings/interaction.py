"""One pair of types: grid, target and update."""

from typing import Annotated, Literal

from pydantic import Field

from votca_mlp.fields import Section, Words, setting


class WibiSettings(Section):
    """cg.non-bonded.inverse.wibi: the weighted update of one interaction."""

    alpha: float = setting(
        0.2,
        ge=0,
        meaning="Learning rate: the update is multiplied by it. Diverges near 2 divided by the square of the "
        "structure factor's main peak; VOTCA's own update has 1.",
    )
    weight: Literal["target", "uniform", "power", "table"] = setting(
        "target",
        meaning="Weight w(r) of the update: the target g(r) itself (wIBI), 1 everywhere (plain IBI), "
        "a power of the target, or a table of your own.",
    )
    power: float = setting(1.0, ge=0, meaning="Exponent for weight 'power': w = g_target^power.")
    weight_file: str | None = setting(
        None,
        accepted="a VOTCA table r (nm), w >= 0, covering min to max",
        meaning="Table for weight 'table', relative to the main directory.",
    )


class Interaction(Section):
    """One cg.non-bonded section."""

    name: str = setting(meaning="Name of the interaction; names its files (NAME.dist.tgt, NAME.pot.cur).")
    type1: str = setting(accepted="a chemical symbol", meaning="First bead type, a chemical symbol.")
    type2: str = setting(accepted="a chemical symbol", meaning="Second bead type, a chemical symbol.")
    min: float = setting(unit="nm", ge=0, meaning="First point of the grid of g(r) and u(r).")
    max: float = setting(
        unit="nm", gt=0, meaning="Last point of the grid, the cutoff of u(r); below half the box."
    )
    step: float = setting(unit="nm", ge=1e-5, meaning="Spacing of the grid.")
    target: str = setting(
        accepted="a VOTCA table r (nm), g(r), covering min to max",
        meaning="Measured g(r), relative to the main directory.",
    )
    do_potential: Annotated[tuple[Annotated[int, Field(ge=0, le=1)], ...], Words] = setting(
        (1,),
        accepted="0 and 1 separated by spaces",
        min_length=1,
        meaning="Cycle of updates: 1 updates, 0 does not. '1 1 0' leaves out every third iteration.",
    )
    post_update: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="VOTCA's scripts that change the update, in order."
    )
    post_add: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="VOTCA's scripts that follow the update, in order."
    )
    wibi: WibiSettings = WibiSettings()
