"""From ``cg.inverse.mlp`` of a settings.xml to something that can be evaluated."""

import contextlib
import logging
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.processes import cores

if TYPE_CHECKING:
    import torch

    from votca_mlp.models.contract import PairModel
    from votca_mlp.models.evaluate import Evaluator
    from votca_mlp.potentials.correction import PairCorrection
    from votca_mlp.settings import MLPSettings

_TAG = "cg.inverse.mlp"
_BUILTIN = "builtin:"
_log = logging.getLogger(__name__)


def load_model(mlp: "MLPSettings", main_directory: str | Path) -> "PairModel | Any":
    """Return the model that the settings name: a :class:`PairModel`, or (kind ``ase``) an ASE calculator.

    Raises
    ------
    UserError
        A model that does not exist or cannot be read; names what is accepted.
    """
    if mlp.kind == "ase":
        from votca_mlp.models.ase_any import load_calculator

        return load_calculator(mlp.calculator, dict(mlp.arguments or {}), main_directory)
    if not mlp.model:
        raise UserError("no model is named", where=f"{_TAG}.model", accepted="a path or builtin:NAME")
    path = model_path(mlp.model, main_directory)
    if mlp.kind == "ani":
        from votca_mlp.models.ani import AniModel
        from votca_mlp.models.neurochem import read_neurochem

        members = None if mlp.members is None else tuple(mlp.members)
        return AniModel(read_neurochem(path, members))
    if mlp.kind == "hippynn":
        from votca_mlp.models.hipnn import load_hipnn

        return load_hipnn(path, trust_pickle=mlp.trust_pickle)
    raise UserError(f"'{mlp.kind}' is no kind of model", where=f"{_TAG}.kind", accepted="hippynn, ani or ase")


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
    from votca_mlp.models.contract import PairModel
    from votca_mlp.models.evaluate import PairListEvaluator
    from votca_mlp.models.evaluate_calculator import CalculatorEvaluator

    if not isinstance(model, PairModel):
        return CalculatorEvaluator(model, correction, skin=skin)
    device, dtype = pick_device(mlp.device), pick_dtype(mlp.dtype)
    _log.info("model %s on %s in %s", mlp.model, device, dtype)
    return PairListEvaluator(model, correction, device=device, dtype=dtype, skin=skin)


def model_path(model: str, main_directory: str | Path) -> Path:
    """Return the path of a model: ``builtin:NAME``, or a path with ~ and $VAR, relative to the settings.

    Raises
    ------
    UserError
        An unknown builtin (the names that exist are listed), an unset variable, no such file.
    """
    where = f"{_TAG}.model"
    if model.startswith(_BUILTIN):
        name = model.removeprefix(_BUILTIN)
        names = builtin_models()
        if name not in names:
            known = ", ".join(_BUILTIN + known for known in sorted(names)) or "none in this installation"
            raise UserError(f"no builtin model '{name}'", where=where, accepted=known)
        return names[name]
    expanded = os.path.expanduser(os.path.expandvars(model))
    if "$" in expanded:
        raise UserError(f"a variable in '{model}' is not set", where=where, accepted="an existing path")
    path = Path(main_directory) / expanded
    if not path.exists():
        raise UserError(f"no such file or folder: {path}", where=where, accepted="a path or builtin:NAME")
    return path


def builtin_models() -> dict[str, Path]:
    """Return the models that come with the package, by name."""
    folder = Path(str(resources.files("votca_mlp"))) / "data"
    return {path.stem: path for path in folder.glob("*.pt")}


def pick_device(name: str) -> "torch.device":
    """Return the torch device of ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:N``.

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
        raise UserError(what, where=f"{_TAG}.device", accepted="auto, cpu, cuda, cuda:N") from None
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


def set_threads(threads: int | None) -> int:
    """Use ``threads`` threads in torch and numba; None: OMP_NUM_THREADS, else the cores of this process.

    Returns the number.
    """
    import torch

    if threads is None:
        setting = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        threads = int(setting) if setting.isdigit() and int(setting) > 0 else cores()
    with contextlib.suppress(ImportError):
        import numba

        # before torch's: starting numba's pool overwrites torch's number where both share one OpenMP library;
        # the pool cannot grow beyond what it is started with
        numba.set_num_threads(min(threads, int(vars(numba.config)["NUMBA_NUM_THREADS"])))
    torch.set_num_threads(threads)
    return threads
