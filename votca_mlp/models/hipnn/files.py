"""Files of HIP-NN: our own of plain tensors, and hippynn's experiments by opt-in."""

import copy
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.experiment import load_experiment, model_of_graph
from votca_mlp.models.hipnn.layout import is_experiment
from votca_mlp.models.hipnn.levels import LevelledHipnn, build_levels, level_of
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn, hyperparameters_of
from votca_mlp.units import EV_PER_ENERGY_UNIT

FORMAT = "votca-mlp hip-nn"
VERSION = 1
VERSION_OF_LEVELS = 2
"""Of files with heads by level of theory."""
_ACCEPTED = "a HIP-NN file written by votca-mlp, or a hippynn experiment directory with trust_pickle yes"


def save_hipnn(path: str | Path, model: HipnnModel, provenance: dict[str, Any]) -> None:
    """Write a model as plain tensors, numbers and text (readable without executing anything in it).

    Raises
    ------
    UserError
        See :func:`hyperparameters_of`; a file that cannot be written.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "species": list(model.numbers),
        "hyperparameters": hyperparameters_of(model),
        "provenance": provenance,
        "state": model.state_dict(),
    }
    with atomic_write(path, "wb") as file:
        torch.save(content, file)


def save_graph(path: str | Path, graph: Any, *, energy_unit: str) -> None:
    """Write the HIP-NN of a hippynn graph as :func:`save_hipnn` does, its energies made to be in eV.

    For what hippynn's own files do not hold: ``graph`` is ``HippynnLightningModule.model``, a
    ``GraphModule``, or ``TrainingModules.model``, and stays as it is. ``energy_unit`` is a key of
    ``EV_PER_ENERGY_UNIT``.

    Raises
    ------
    UserError
        As :func:`votca_mlp.models.hipnn.experiment.model_of_graph` and :func:`save_hipnn`; another unit.
    """
    if energy_unit not in EV_PER_ENERGY_UNIT:
        what = f"energy_unit is {energy_unit!r}"
        raise UserError(what, where="save_graph", accepted=" | ".join(EV_PER_ENERGY_UNIT))
    model = model_of_graph(copy.deepcopy(graph), where=path, energy_unit=energy_unit)
    save_hipnn(path, model.cpu(), {"made by": "hippynn", "trained in": energy_unit})


def save_levels(path: str | Path, model: LevelledHipnn, provenance: dict[str, Any]) -> None:
    """Write a model of several levels of theory as one file, as :func:`save_hipnn`.

    Raises
    ------
    UserError
        As :func:`save_hipnn`.
    """
    content = {
        "format": FORMAT,
        "version": VERSION_OF_LEVELS,
        "species": list(model.numbers),
        "levels": list(model.levels),
        "heads": model.kind,
        "hyperparameters": hyperparameters_of(model.alone(model.levels[0])),
        "provenance": provenance,
        "state": model.state_dict(),
    }
    with atomic_write(path, "wb") as file:
        torch.save(content, file)


def load_hipnn(
    path: str | Path,
    *,
    trust_pickle: bool = False,
    energy_unit: str | None = None,
    level: str | None = None,
) -> HipnnModel:
    """Read a HIP-NN file of ours, or (by opt-in) a hippynn experiment directory or checkpoint.

    Parameters
    ----------
    level
        Level of theory, for a file with several.
    energy_unit
        Unit that an experiment was trained in, a key of ``EV_PER_ENERGY_UNIT``; its files do not say it. The
        model that is returned gives eV. Our own files are always in eV.

    Raises
    ------
    UserError
        Missing, cut short, of another kind; an experiment without ``trust_pickle`` or ``energy_unit``;
        another unit than eV for a file of ours; a level that the file does not have, or none where
        it has several.
    """
    path = Path(path)
    if level is not None and path.exists() and is_experiment(path):
        raise _no_levels(path, level)
    model = read_hipnn(path, trust_pickle=trust_pickle, energy_unit=energy_unit)
    if isinstance(model, HipnnModel):
        if level is not None:
            raise _no_levels(path, level)
        return model
    return model.alone(level_of(model.levels, level, where=f"level, of {path}"))


def read_hipnn(
    path: str | Path, *, trust_pickle: bool = False, energy_unit: str | None = None
) -> HipnnModel | LevelledHipnn:
    """Read what :func:`load_hipnn` reads, with all levels of theory that the file has.

    Raises
    ------
    UserError
        As :func:`load_hipnn`, but for levels.
    """
    path = Path(path)
    if not path.exists():
        raise UserError("no such model", where=path, accepted=_ACCEPTED)
    if is_experiment(path):
        return load_experiment(path, trust_pickle=trust_pickle, energy_unit=energy_unit)
    if energy_unit not in (None, "eV"):
        what = f"energy_unit is {energy_unit}, but files of votca-mlp are in eV"
        raise UserError(what, where=path, accepted="no such tag; it is for hippynn experiments")
    return _read(path)


def load_levels(path: str | Path) -> LevelledHipnn:
    """Read a HIP-NN file of ours with all its levels of theory.

    Raises
    ------
    UserError
        As :func:`load_hipnn`; a file without levels.
    """
    path = Path(path)
    if not path.exists():
        raise UserError("no such model", where=path, accepted=_ACCEPTED)
    model = _read(path)
    if isinstance(model, HipnnModel):
        raise UserError("the model has no levels of theory", where=path, accepted="a file of votca-mlp train")
    return model


def _no_levels(path: Path, level: str) -> UserError:
    what = f"level is '{level}', but the model has no levels of theory"
    return UserError(what, where=path, accepted="no such tag; it is for models trained to several levels")


def _read(path: Path) -> HipnnModel | LevelledHipnn:
    unreadable = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (*unreadable, zipfile.BadZipFile):
        what = "the model file is cut short, damaged, or not plain tensors"
        raise UserError(what, where=path, accepted=_ACCEPTED) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError("this file is not a HIP-NN of votca-mlp", where=path, accepted=_ACCEPTED)
    if content.get("version") not in (VERSION, VERSION_OF_LEVELS):
        what = f"written in version {content.get('version')} of the format"
        raise UserError(what, where=path, accepted=f"version {VERSION} or {VERSION_OF_LEVELS}")
    provenance = content.get("provenance") or {}
    if not isinstance(provenance, dict):
        what = f"the model file's provenance is {type(provenance).__name__}"
        raise UserError(what, where=path, accepted="a mapping of names to values")
    try:
        model = _built(content)
        # the vector and quadrupole versions also keep a plain dictionary there
        tensors = [value for value in model.state_dict().values() if isinstance(value, Tensor)]
        if not all(bool(torch.isfinite(value).all()) for value in tensors):
            raise ValueError("parameters that are no numbers")
    except (KeyError, TypeError, RuntimeError, ValueError, AttributeError, UserError, UserWarning) as error:
        what = "the model file does not fit together: " + str(error).splitlines()[0]
        raise UserError(what, where=path, accepted=_ACCEPTED) from None
    model.provenance = dict(provenance)
    return model


def _built(content: dict[str, Any]) -> HipnnModel | LevelledHipnn:
    """Return the model of a file's content; raises what does not fit together leads to."""
    species = tuple(content["species"])
    if not species or not all(isinstance(z, int) and 0 < z < 200 for z in species):
        raise ValueError(f"atomic numbers {species}")
    model: HipnnModel | LevelledHipnn
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # hippynn's answer to unknown arguments
        if content["version"] == VERSION:
            model = build_hipnn(content["hyperparameters"], species)
        else:
            levels = tuple(content["levels"])
            if not all(isinstance(name, str) for name in levels):
                raise ValueError(f"levels {levels}")
            model = build_levels(content["hyperparameters"], species, levels, content["heads"])
    model.load_state_dict(content["state"])
    return model
