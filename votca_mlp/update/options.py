"""The section of an interaction that belongs to the rule ``wibi``."""

from typing import Literal

from votca_mlp.fields import Section, setting


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
