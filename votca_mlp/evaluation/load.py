"""From a model and a correction to something that can be evaluated."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.kernels.threads import set_threads
from votca_mlp.models.kind import is_pair_model
from votca_mlp.models.load import load_model

if TYPE_CHECKING:
    import torch

    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.models.contract import PairModel
    from votca_mlp.models.options import MLPSettings
    from votca_mlp.potentials.correction import PairCorrection

_TAG = "cg.inverse.mlp"
_log = logging.getLogger(__name__)


def make_evaluator(
    mlp: "MLPSettings",
    correction: "PairCorrection | None",
    main_directory: str | Path,
    skin: float = 0.5,
) -> "Evaluator":
    """Return model plus correction, ready for MD; sets the number of threads of this process.

    Parameters
    ----------
    mlp
        ``cg.inverse.mlp`` of the settings.
    correction
        The pair correction u(r), or None.
    main_directory
        Where settings.xml is; relative paths start there.
    skin
        Of the neighbour list, Angstrom.

    Raises
    ------
    UserError
        As :func:`load_model`; an unknown device or dtype.
    """
    set_threads(mlp.threads)
    return evaluator_of(load_model(mlp, main_directory), mlp, correction, skin)


def evaluator_of(
    model: "PairModel | Any", mlp: "MLPSettings", correction: "PairCorrection | None", skin: float
) -> "Evaluator":
    """Return a model that is loaded already plus a correction, ready for MD; skin in Angstrom.

    Raises
    ------
    UserError
        An unknown device or dtype.
    """
    if not is_pair_model(model):
        from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator

        return CalculatorEvaluator(model, correction, skin=skin)
    from votca_mlp.evaluation.evaluator import PairListEvaluator

    device, dtype = pick_device(mlp.device), pick_dtype(mlp.dtype)
    _log.info("model %s on %s in %s", mlp.model, device, dtype)
    return PairListEvaluator(model, correction, device=device, dtype=dtype, skin=skin)


def pick_device(name: str, where: str = f"{_TAG}.device") -> "torch.device":
    """Return the torch device of ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    ``where`` is the setting that has the name.

    Raises
    ------
    UserError
        An unknown device, or CUDA where there is none.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise RuntimeError("no such CUDA device here")
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("not supported")
    except RuntimeError as error:
        what = f"device '{name}': {str(error).splitlines()[0]}"
        raise UserError(what, where=where, accepted="auto, cpu, cuda, cuda:N") from None
    return device


def pick_dtype(name: str) -> "torch.dtype":
    """Return the torch dtype of ``float32`` or ``float64``.

    Raises
    ------
    UserError
        Another name.
    """
    import torch

    known = {"float32": torch.float32, "float64": torch.float64}
    if name not in known:
        raise UserError(f"dtype '{name}'", where=f"{_TAG}.dtype", accepted=" or ".join(known))
    return known[name]
