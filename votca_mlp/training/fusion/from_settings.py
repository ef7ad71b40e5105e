"""From the section ``experiments`` and a trained model to the fused model."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment, check_experiments
from votca_mlp.training.fusion.measured_values import title
from votca_mlp.training.fusion.quantities import QUANTITIES, quantity
from votca_mlp.training.fusion.rest_quantities import REST_QUANTITIES, rest_quantity
from votca_mlp.training.fusion.states import StatePoint

if TYPE_CHECKING:
    from votca_mlp.training.fusion.settings import ExperimentsSettings, MeasuredSettings
    from votca_mlp.training.labelled import LabelledFrames

FOLDER, HISTORY, FUSED, CARD = "fusion", "fusion.json", "fused.pt", "fused.md"


@dataclass(frozen=True)
class FusionTargets:
    """What the section asks for: state points, experiments in them, and experiments at rest."""

    states: list[StatePoint]
    experiments: list[Experiment]
    rest: list[RestExperiment]


def fusion_targets(settings: "ExperimentsSettings", directory: Path) -> FusionTargets:
    """Return state points, experiments in them and at rest, checked: to be called before training.

    Parameters
    ----------
    settings, directory
        The section, and where its relative paths start.

    Raises
    ------
    UserError
        A start or curve that cannot be read, and what :func:`.experiments.check_experiments` refuses.
    """
    from votca_mlp.engines.shared.start import check_start, read_configuration

    states = {}
    for name, each in settings.states.items():
        path = directory / each.start
        if not path.exists():
            raise UserError("no such file", where=path, accepted=f"the start of state {name}")
        start = read_configuration(path)
        check_start(start, start.get_chemical_symbols(), r_max=0.0, where=str(path), topology=path)
        values = each.model_dump(exclude={"start"})
        states[name] = StatePoint(name=name, start=start, **values)
    experiments, rest = [], []
    for measured in settings.measured:
        if measured.quantity in REST_QUANTITIES:
            _refuse_state(measured)
            rest.append(RestExperiment(*rest_quantity(measured, directory), title(measured)))
            continue
        if measured.quantity not in QUANTITIES:
            known = ", ".join([*QUANTITIES, *REST_QUANTITIES])
            raise UserError(f"'{measured.quantity}' is no quantity", where="experiments", accepted=known)
        if measured.state is None:
            what = f"{measured.quantity} without a state"
            raise UserError(what, where="experiments", accepted="state: " + " | ".join(states))
        if measured.state not in states:
            raise UserError(
                f"there is no state '{measured.state}'", where="experiments", accepted=", ".join(states)
            )
        observable, found, errors = quantity(measured, states[measured.state], directory)
        experiments.append(
            Experiment(
                measured.state,
                observable,
                found,
                errors,
                measured.temperature,
                measured.volume,
                title(measured),
            )
        )
    check_experiments(experiments, list(states.values()), rest)
    return FusionTargets(list(states.values()), experiments, rest)


def _refuse_state(measured: "MeasuredSettings") -> None:
    """Refuse what a quantity of configurations at rest does not have."""
    for name in ("state", "temperature", "volume"):
        if getattr(measured, name) is not None:
            raise UserError(
                f"{name} of {measured.quantity}, which is of configurations at rest",
                where="experiments",
                accepted="configurations without a state, or the quantity at a state",
            )


def check_section(
    settings: "ExperimentsSettings", directory: Path, levels: Sequence[str], method: str
) -> FusionTargets:
    """Return what a section asks for, or refuse it before anything is trained.

    Parameters
    ----------
    settings, directory
        The section, and where its relative paths start.
    levels, method
        Levels of theory, and how they are trained.

    Raises
    ------
    UserError
        No level where there are several, an unknown one, a difference of levels, no such device, numbers out
        of bounds, and what :func:`fusion_targets` refuses.
    """
    from votca_mlp.evaluation.load import pick_device

    where, known = "experiments.level", ", ".join(levels)
    if settings.level is None and len(levels) > 1:
        raise UserError("which of several levels is fused is not said", where=where, accepted=known)
    if settings.level is not None and settings.level not in levels:
        raise UserError(f"there is no level '{settings.level}'", where=where, accepted=known)
    if method == "difference" and settings.level != levels[0]:
        raise UserError("a difference of levels alone is no potential", where=where, accepted=levels[0])
    pick_device(settings.device, "experiments.device")
    try:
        settings.options()
    except UserError as error:
        raise error.at("experiments") from None
    return fusion_targets(settings, directory)


def check_network(
    settings: "ExperimentsSettings",
    targets: FusionTargets,
    network: dict[str, Any],
    species: tuple[int, ...],
    n_held: int,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Refuse what the network that is to be trained cannot do, before it is trained; say what is to be met.

    Parameters
    ----------
    settings, targets
        The section, and what it asks for.
    network
        As :func:`.model.build_hipnn` takes it.
    species
        Atomic numbers of the labelled frames.
    n_held
        Held-out frames.
    say
        Takes a line.

    Raises
    ------
    UserError
        Species that are not in the labelled frames, names to be held that no parameter has, no parameter
        left, held-out labels alone that are to count and none.
    """
    from ase.data import chemical_symbols

    from votca_mlp.models.hipnn.model import build_hipnn
    from votca_mlp.training.fusion.copies import Copies

    used = [(f"state {state.name}", state.start.numbers.tolist()) for state in targets.states]
    used += [
        (each.title, frame.numbers.tolist()) for each in targets.rest for frame in each.observable.frames
    ]
    for what, numbers in used:
        unknown = sorted(set(numbers) - set(species))
        if unknown:
            raise UserError(
                f"{what} has {', '.join(chemical_symbols[z] for z in unknown)}, of which no frame has labels",
                where="experiments",
                accepted=", ".join(chemical_symbols[z] for z in species),
            )
    if settings.held_alone and n_held == 0:
        raise UserError(
            "there are no held-out labels", where="experiments.held_alone", accepted="split.held_out above 0"
        )
    model = build_hipnn(dict(network), species)
    names = [name for name, _ in model.named_parameters()]
    for part in settings.fixed:
        if not any(part in name for name in names):
            raise UserError(
                f"no parameter has '{part}' in its name",
                where="experiments.fixed",
                accepted="parts of " + ", ".join(names),
            )
    try:
        Copies(model, settings.fixed)
    except UserError as error:
        raise UserError(error.what, where="experiments.fixed", accepted="fewer names") from None
    counts = {state.name: 0 for state in targets.states}
    for each in targets.experiments:
        counts[each.state] += len(each.labels)
    parts = [f"{count or 'NONE'} at {name}" for name, count in counts.items()]
    parts += [f"{sum(len(each.labels) for each in targets.rest)} at rest"] * bool(targets.rest)
    say(f"measured values: {', '.join(parts)}")


def fuse_file(
    settings: "ExperimentsSettings",
    targets: FusionTargets,
    source: Path,
    frames: "LabelledFrames",
    chosen: tuple[NDArray[np.int64], NDArray[np.int64]],
    level: str,
    folder: Path,
    say: Callable[[str], None],
) -> Path:
    """Return the file of a model file's level fused with the experiments; goes on from ``folder`` / fusion.

    Parameters
    ----------
    settings, targets
        The section, and what it asks for.
    source
        Model file with the level.
    frames, chosen, level
        Labels: frames that hold the model, and frames that are watched.
    folder
        Gets fused.pt, its card fused.md and fusion.json beside the fusion's own folder.
    say
        Called with lines.

    Raises
    ------
    UserError
        As of the checks; a first simulation that goes wrong.
    """
    from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
    from votca_mlp.models.hipnn.model import HipnnModel
    from votca_mlp.training.fusion.card import fusion_card
    from votca_mlp.training.fusion.closing import verdict
    from votca_mlp.training.fusion.fuse import Fusion
    from votca_mlp.training.fusion.labels import labels_of
    from votca_mlp.training.fusion.simulate import simulate

    model = load_hipnn(source, level=level)
    learn, held = chosen
    watched = labels_of(frames, held, model, level) if len(held) else None
    if watched is not None and not watched.batches:
        watched = None
    fusion = Fusion(
        model,
        targets.states,
        targets.experiments,
        labels_of(frames, learn, model, level),
        watched,
        folder / FOLDER,
        settings.options(),
        rest=targets.rest,
        fixed=settings.fixed,
        report=say,
        simulator=partial(simulate, device=settings.device),
    )
    found = fusion.run()
    history = {
        "ended": found.ended,
        "best": found.best,
        "trajectories": found.trajectories,
        "experiments": fusion.objective.names,
        "measured": fusion.objective.targets.tolist(),
        "units": fusion.objective.units,
        "iterations": [each.plain() for each in found.history],
        "closing": None if found.closing is None else found.closing.plain(),
    }
    with atomic_write(folder / HISTORY) as file:
        json.dump(history, file, indent=1)
    fused = found.model.to(dtype=torch.float32)
    assert isinstance(fused, HipnnModel)
    facts = {"ended": found.ended, "best iteration": found.best, "measured": fusion.objective.names}
    save_hipnn(folder / FUSED, fused, {**model.provenance, "fusion": facts})
    with atomic_write(folder / CARD) as file:
        file.write(fusion_card(fusion.objective, found))
    met = "it could not be"
    if found.closing is not None:
        met = verdict(found.history[found.best].experiments, found.closing.experiments)
    say(f"fused: the best model is that of iteration {found.best} ({found.ended}); simulated afresh: {met}")
    return folder / FUSED
