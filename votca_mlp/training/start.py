"""A trained model to go on from, as ``start`` of settings.yaml names it: read, checked, given its levels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.files import read_hipnn
from votca_mlp.models.hipnn.layout import NO_UNIT, UNITS, is_experiment
from votca_mlp.models.hipnn.levels import LevelledHipnn, level_of
from votca_mlp.models.hipnn.model import HipnnModel, hyperparameters_of
from votca_mlp.models.load import model_path
from votca_mlp.training.assemble import Prepared, given_energies
from votca_mlp.training.judge import SCALES, level_errors, predictions
from votca_mlp.training.labelled import LabelledFrames, LevelLabels
from votca_mlp.training.rivals import differences, with_labels
from votca_mlp.training.self_energies import self_energies
from votca_mlp.training.settings.models import StartSettings, TrainSettings
from votca_mlp.training.sources.common_frames import refuse_ratio, slope_of
from votca_mlp.training.sources.label_units import FORCES
from votca_mlp.training.trainer.losses import one_level
from votca_mlp.training.trainer.transfer import with_levels

FAR = 1.0
"""eV/atom: further away from a model than any energy of its own level is."""
_NAMELESS = "the only level"
"""Of a model without levels; no level of the settings can be called so."""


@dataclass(frozen=True)
class Start:
    """A model to go on from.

    Attributes
    ----------
    model
        Stays as it is.
    source
        Its level with whose head levels begin that it does not have; None: it has all of them.
    name
        As the settings call it.
    """

    model: LevelledHipnn
    source: str | None
    name: str

    @property
    def network(self) -> dict[str, Any]:
        """The hyperparameters of its network."""
        return hyperparameters_of(self.model.alone(self.model.levels[0]))

    @property
    def provenance(self) -> dict[str, Any]:
        """What the new model's file says about it."""
        of = self.model.provenance
        level = {"level": self.source} if self.source not in (None, _NAMELESS) else {}
        return {"model": self.name, **level, **({"made by": of["made by"]} if "made by" in of else {})}

    def with_levels(
        self, levels: Sequence[str], energies: Mapping[str, Mapping[int, float]]
    ) -> LevelledHipnn:
        """Return a copy with heads for these levels and with these self energies."""
        own = {level: energies[level] for level in levels}
        return with_levels(self.model, levels, own, source=self.source)


def read_start(settings: TrainSettings, folder: Path) -> Start | None:
    """Return the model that the settings start from, None where they name none; before any data are read.

    Raises
    ------
    UserError
        No such model, or one that cannot be read; a network in the settings that is another; a level that the
        model lacks, or none where it has several; a model that the output would overwrite.
    """
    given = settings.start
    if given is None:
        return None
    path = model_path(given.model, folder, "start.model")
    if path.resolve().is_relative_to((folder / settings.output).resolve()):
        what = f"{path} is in the output folder, where the new model is written"
        raise UserError(what, where="start.model", accepted="another output")
    found = _read(path, given)
    if isinstance(found, HipnnModel):
        _move_self_energies(found)
    model = one_level(found, _NAMELESS) if isinstance(found, HipnnModel) else found
    model.provenance = found.provenance
    if given.level is not None and isinstance(found, HipnnModel):
        what = f"is '{given.level}', but the model has no levels of theory"
        raise UserError(what, where="start.level", accepted="no such setting")
    source = None
    if given.level is not None or set(settings.levels) - set(model.levels):
        source = level_of(model.levels, given.level, where="start.level")
    start = Start(model, source, given.model)
    _refuse_other_network(settings, start)
    return start


def prepare_start(
    start: Start | None, settings: TrainSettings, data: Prepared, say: Callable[[str], None]
) -> Prepared:
    """Return the data with the self energies that the model begins with.

    Raises
    ------
    UserError
        As :func:`refuse_start_species` and :func:`start_energies`.
    """
    if start is None:
        return data
    refuse_start_species(start, data.frames, settings.training.method)
    learn = data.frames.take(data.split.training)
    return replace(data, self_energies=start_energies(start, learn, given_energies(settings, learn), say))


def refuse_start_species(start: Start, frames: LabelledFrames, method: str) -> None:
    """Refuse frames with a species that the model does not know.

    Raises
    ------
    UserError
        Naming frame and species; for differences, species that are not all of the model's.
    """
    from ase.data import chemical_symbols

    known = start.model.numbers
    names = " ".join(chemical_symbols[z] for z in known)
    for z in frames.species:
        if z not in known:
            frame = int(frames.frame_of_atom[frames.numbers == z][0])
            what = f"has {chemical_symbols[z]}, which the model that the training starts from does not know"
            accepted = f"species of {start.name}: {names}; or no start"
            raise UserError(what, where=str(frames.origins[frame]), accepted=accepted)
    if method == "difference" and frames.species != tuple(sorted(known)):
        what = f"is difference, but {start.name} has species that no frame has: its network is for {names}"
        raise UserError(what, where="training.method", accepted="together | continued | transfer")


def start_energies(
    start: Start,
    frames: LabelledFrames,
    given: Mapping[str, Mapping[int, float]],
    say: Callable[[str], None],
) -> dict[str, dict[int, float]]:
    """Return the self energies (eV by atomic number) that the model begins with, for every level.

    A level that the model has keeps its own. Any other has those of its source and what, by least squares,
    its energies are away from the source's.

    Parameters
    ----------
    frames
        For training, with labels of all levels.
    given
        By level, self energies that are fixed in the settings.
    say
        Takes a line on each level: how far its labels are from the model before training.

    Raises
    ------
    UserError
        Forces that are a ratio of units away from the model's; energies of a level that the model has, too
        far from what it says.
    """
    found = {}
    for level in frames.levels:
        origin = level if level in start.model.levels else str(start.source)
        found[level] = shifted(start.model, origin, frames, level, given.get(level, {}))
        model = start.with_levels([level], found).alone(level)
        part = frames.take(with_labels(frames, np.arange(len(frames)), level))
        guess = predictions(model, part)
        _refuse_unit_of_forces(start, guess, part, level)
        errors = level_errors(guess, part, level, {})
        if origin == level and "energies" in errors and errors["energies"].mae > 1e3 * FAR:
            raise UserError(
                f"energies of level '{level}' are {errors['energies'].mae / 1e3:.3g} eV/atom away from what "
                f"the model's level '{level}' says of these frames",
                where=f"start ({start.name})",
                accepted="energies of the same theory, unit and origin; or another name for this level, "
                "whose self energies are fitted then",
            )
        away = ", ".join(f"{kind} {row.rmse:.3g} {SCALES[kind][1]}" for kind, row in errors.items())
        say(f"{start.name}, before training: {level} is away by (RMSE) {away}")
    return found


def _refuse_unit_of_forces(start: Start, guess: LevelLabels, frames: LabelledFrames, level: str) -> None:
    there = frames.has(level, "forces")[frames.frame_of_atom]
    slope = slope_of(guess.forces[there].ravel(), frames.levels[level].forces[there].ravel())
    if slope is not None:
        what = f"forces of level '{level}' are {slope:.3g} times those of the model"
        refuse_ratio(slope, FORCES, what, where=f"start ({start.name})")


def shifted(
    model: LevelledHipnn, origin: str, frames: LabelledFrames, level: str, given: Mapping[int, float]
) -> dict[int, float]:
    """Return a level's self energies (eV by atomic number) for a head that begins as one of the model's.

    Parameters
    ----------
    origin
        The model's level; its own self energies are kept where it is the level itself.
    frames
        For training.
    given
        Self energies that are fixed.
    """
    row = model.self_energies[model.levels.index(origin)]
    own = {z: float(e) for z, e in zip(model.numbers, row, strict=True)}
    labelled = frames.take(np.flatnonzero(frames.has(level, "energies")))
    if origin != level and len(labelled):
        base = one_level(model.alone(origin), origin)
        left = differences(labelled, level, base)
        fixed = {z: value - own[z] for z, value in given.items()}
        for z, value in self_energies(left, level, fixed).items():
            own[z] += value
    return own | dict(given)


def _read(path: Path, given: StartSettings) -> HipnnModel | LevelledHipnn:
    if is_experiment(path):
        if not given.trust_pickle:
            what = f"{path} is a hippynn experiment, a pickle: reading it can run any code that is in it"
            accepted = "'trust_pickle: yes' in 'start' when you trust its origin"
            raise UserError(what, where="start.model", accepted=accepted)
        if given.energy_unit is None:
            raise UserError(NO_UNIT, where="start.energy_unit", accepted=UNITS)
        return read_hipnn(path, trust_pickle=True, energy_unit=given.energy_unit)
    return read_hipnn(path, energy_unit=given.energy_unit)


def _move_self_energies(model: HipnnModel) -> None:
    """Move what a head gives for bare species to the self energies.

    hippynn keeps total energies of atoms there, thousands of eV, whose float32 has digits of 0.1 meV; ours
    are float64, and taken from labels before they become float32.
    """
    head: Any = model.energy
    if head.first_is_interacting:
        return
    with torch.no_grad():
        for parameter in head.layers[0].parameters():
            # a weight [1, n_species], or one number for all of them
            model.self_energies = model.self_energies.double() + parameter.double().reshape(-1)
            parameter.zero_()


def _refuse_other_network(settings: TrainSettings, start: Start) -> None:
    """Refuse a value in the settings' network that is not the model's."""
    has = start.network
    for name in settings.network.model_fields_set:
        value = getattr(settings.network, name)
        if value != has[name] and not (isinstance(value, float) and np.isclose(value, has[name], rtol=1e-5)):
            what = f"is {value}, but the model that the training starts from has {has[name]}"
            accepted = f"{has[name]}, or no section network: it is that of {start.name}"
            raise UserError(what, where=f"network.{name}", accepted=accepted)
