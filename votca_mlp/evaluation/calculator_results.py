"""What an ASE calculator gives, in the forms that published ones have, brought to one."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.models.ase_any import said
from votca_mlp.processes import is_interrupt

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

_WHERE = "cg.inverse.mlp.calculator"
_ACCEPTED = {
    "energy": "one number, eV",
    "forces": "an array [n_atoms, 3], eV/Angstrom",
    "stress": "6 numbers in Voigt's order or an array [3, 3], eV/Angstrom^3",
}


def has_stress(calculator: Any) -> bool:
    """Return whether a calculator says that it gives a stress."""
    return "stress" in (getattr(calculator, "implemented_properties", None) or ())


def calculate(
    calculator: Any, atoms: "Atoms", changes: list[str], *, stress: bool
) -> tuple[float, Array, Array | None]:
    """Ask an ASE calculator for a configuration.

    Parameters
    ----------
    changes
        What is other than at the call before, in ASE's words.
    stress
        Whether the stress is asked for.

    Returns
    -------
    Energy (eV), forces [n_atoms, 3] (eV/Angstrom) and stress [3, 3] (eV/Angstrom^3; None when not asked for),
    of the caller's own. A number may come as an array of one (batched models), the stress as Voigt's six
    numbers or as 3 x 3 (both as ASE's own ``Atoms.get_stress`` takes them), anything as a torch tensor.

    Raises
    ------
    UserError
        Whatever the calculator raises, on one line; a result that is missing or of another form.
    """
    wanted = ["energy", "forces", "stress"] if stress else ["energy", "forces"]
    try:
        calculator.calculate(atoms, wanted, changes)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        # compiled code that is interrupted raises numba's SystemError
        if is_interrupt(error):
            raise
        what = f"{name_of(calculator)} failed: {said(error)}"
        raise UserError(what, where=_WHERE, accepted="a calculator that takes this configuration") from error
    results = calculator.results
    energy = _array(calculator, results, "energy")
    if energy.size != 1:
        raise _other_form(calculator, "energy", energy)
    forces = _array(calculator, results, "forces")
    if forces.size != 3 * len(atoms) or forces.shape[-2:] != (len(atoms), 3):
        raise _other_form(calculator, "forces", forces)
    found = _stress(calculator, results) if stress else None
    return float(energy.reshape(())), forces.reshape(len(atoms), 3), found


def name_of(calculator: Any) -> str:
    """Return what a calculator is called in messages: its class."""
    return f"the calculator {type(calculator).__name__}"


def _array(calculator: Any, results: Any, name: str) -> Array:
    value = results.get(name)
    if value is None:
        promised = name in (getattr(calculator, "implemented_properties", None) or ())
        what = f"{name_of(calculator)} gave no {name}" + (", which it says it has" if promised else "")
        raise UserError(what, where=_WHERE, accepted=_ACCEPTED[name])
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        return np.array(value, float)
    except (TypeError, ValueError):
        what = f"{name_of(calculator)} gave {name} as {type(value).__name__}"
        raise UserError(what, where=_WHERE, accepted=_ACCEPTED[name]) from None


def _stress(calculator: Any, results: Any) -> Array:
    from ase.stress import voigt_6_to_full_3x3_stress

    found = _array(calculator, results, "stress")
    if found.size == 9 and found.shape[-2:] == (3, 3):
        full = found.reshape(3, 3)
        return 0.5 * (full + full.T)
    if found.size == 6 and found.shape[-1] == 6:
        return np.array(voigt_6_to_full_3x3_stress(found.reshape(6)))
    raise _other_form(calculator, "stress", found)


def _other_form(calculator: Any, name: str, value: Array) -> UserError:
    what = f"{name_of(calculator)} gave {name} of shape {list(value.shape)}"
    return UserError(what, where=_WHERE, accepted=_ACCEPTED[name])
