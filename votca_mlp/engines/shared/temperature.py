"""Has a simulation whose thermostat the user wrote run at the temperature of kBT?"""

from pathlib import Path
from typing import Any

from votca_mlp.ensemble.blocks import MIN_BLOCKS
from votca_mlp.errors import UserError

_FAR = 0.05


def check_temperature(production: dict[str, Any], temperature: float, *, where: Path) -> None:
    """Refuse a simulation that has run at another temperature than kBT says, K.

    Raises
    ------
    UserError
        The means differ by more than 5 % and by more than five standard errors.
    """
    found = production.get("temperature[K]")
    if found is None or found["error"] is None or found["samples"] < MIN_BLOCKS:
        return
    difference = abs(found["mean"] - temperature)
    if difference > max(_FAR * temperature, 5.0 * found["error"]):
        raise UserError(
            f"the simulation ran at {found['mean']:.0f} +- {found['error']:.0f} K, but cg.inverse.kBT is "
            f"{temperature:.0f} K: its g(r) would be corrected with the wrong kBT",
            where=where,
            accepted="a thermostat at the temperature of kBT, and time to reach it before frames count",
        )
