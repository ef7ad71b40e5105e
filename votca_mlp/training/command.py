"""What ``votca-mlp train`` does: from a settings.yaml to a folder with model, card and checkpoints."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.files import save_levels
from votca_mlp.models.hipnn.joined import joined, refuse_sizes
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.progress import Progress
from votca_mlp.runs.lock import locked
from votca_mlp.training.assemble import Prepared, given_energies
from votca_mlp.training.card import model_card, table
from votca_mlp.training.first_head import errors_by_first_level, in_words
from votca_mlp.training.fusion.from_settings import fuse_file
from votca_mlp.training.judge import SCALES, LabelErrors, level_errors, predictions
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.ready import Ready, Say, get_ready
from votca_mlp.training.rivals import differences, of_level, with_labels
from votca_mlp.training.settings.models import TrainSettings
from votca_mlp.training.settings.read import load_train_settings
from votca_mlp.training.split import Split
from votca_mlp.training.start import Start, shifted
from votca_mlp.training.trainer.loop import Trained, train
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.transfer import with_levels
from votca_mlp.versions import VERSION, versions

SETTINGS, MODEL, CARD, CHECKPOINTS = "settings.yaml", "model.pt", "model.md", "checkpoints"


@dataclass(frozen=True)
class Made:
    """What a training left: the files of models by name, and the errors on held-out frames."""

    folder: Path
    models: dict[str, Path]
    errors: dict[str, dict[str, LabelErrors]]


@dataclass(frozen=True)
class _Job:
    """One training command under way."""

    ready: Ready
    folder: Path
    progress: Progress
    say: Say

    @property
    def settings(self) -> TrainSettings:
        return self.ready.settings

    @property
    def data(self) -> Prepared:
        return self.ready.data

    @property
    def start(self) -> Start | None:
        return self.ready.start

    @property
    def levels(self) -> list[str]:
        return list(self.settings.levels)

    def begun(self, levels: Sequence[str]) -> LevelledHipnn | None:
        """Return the model that training of these levels starts from; None: random numbers."""
        return self.start.with_levels(levels, self.data.self_energies) if self.start else None

    def after(self, base: LevelledHipnn, level: str) -> dict[int, float]:
        """Return the self energies of a level that begins with the head of the first one, trained."""
        if self.start is None:
            return self.data.self_energies[level]
        learn = self.data.frames.take(self.data.split.training)
        return shifted(base, self.levels[0], learn, level, given_energies(self.settings, learn)[level])

    def options(self, **changes: Any) -> TrainOptions:
        values = self.settings.training.model_dump(exclude={"method", "heads"})
        weights = {
            name: LevelWeights(energy=level.energy, force=level.forces, stress=level.stress)
            for name, level in self.settings.levels.items()
        }
        return TrainOptions(**{**values, "weights": weights, **changes})

    def fit(
        self,
        name: str,
        frames: LabelledFrames,
        split: Split,
        *,
        self_energies: Mapping[str, Mapping[int, float]] | None = None,
        start: LevelledHipnn | None = None,
    ) -> Trained:
        """Train on the levels that the frames have; goes on from its checkpoint."""
        path, options = self.folder / CHECKPOINTS / f"{name}.pt", self.options()
        learn, judge = (
            with_labels(frames, part, *frames.levels) for part in (split.training, split.validation)
        )
        begun = False

        def report(epoch: int, numbers: dict[str, float]) -> None:
            nonlocal begun
            if not begun:
                self.progress.start(f"training {name}", options.epochs, epoch - 1)
                begun = True
            rate = f"rate {numbers['rate']:.2g}" if "rate" in numbers else ""
            self.progress.update(epoch, f"loss {numbers['loss']:.4g}, {rate}")

        found = train(
            frames,
            learn,
            judge,
            self.ready.network,
            options,
            self_energies=self_energies,
            # of all levels: one that is trained alone may lack a species that another has
            species=self.data.frames.take(self.data.split.training).species,
            heads=self.settings.training.heads,
            start=start,
            report=report,
            checkpoint=path,
        )
        done = len(found.history)
        if begun:
            self.progress.close(done, f"best in epoch {found.best_epoch}")
        self.say(f"{name}: {done} epochs, best in {found.best_epoch} ({found.stopped})")
        for level, fit in found.fitted.items():
            self.say(f"{name}: head of {level} by least squares, {1e3 * fit.left_out:.3g} meV/atom left out")
        return found


def run_training(path: Path, progress: Progress, say: Say = lambda line: None) -> Made:
    """Check the data, train, judge, and write everything; go on where an earlier call was stopped.

    Parameters
    ----------
    path
        settings.yaml.
    progress, say
        Of epochs; of everything else, a line each.

    Raises
    ------
    UserError
        Settings, data or an output folder that cannot be used, or in which another training works; nothing
        was trained then.
    """
    settings = load_train_settings(path)
    folder = path.parent / settings.output
    _refuse_folder(folder, path)
    ready = get_ready(settings, path.parent, say)
    (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    with locked(folder / CHECKPOINTS):
        # another training may have begun and ended while the data were read
        _refuse_folder(folder, path)
        return _trained(_Job(ready, folder, progress, say), path)


def _trained(job: _Job, path: Path) -> Made:
    """Train, judge and write in a folder that no other training works in."""
    settings, data, folder, say = job.settings, job.data, job.folder, job.say
    if path.resolve() != (folder / SETTINGS).resolve():
        shutil.copyfile(path, folder / SETTINGS)
    made = METHODS[settings.training.method](job)
    if settings.experiments is None or job.ready.targets is None:
        return made
    level = settings.experiments.level or next(iter(settings.levels))
    source = made.models[level] if level in made.models else made.models["model"]
    fused = fuse_file(
        settings.experiments,
        job.ready.targets,
        source,
        data.frames,
        (np.sort(np.concatenate([data.split.training, data.split.validation])), data.split.held_out),
        level,
        folder,
        say,
    )
    return replace(made, models={**made.models, "fused": fused})


def _together(job: _Job) -> Made:
    frames, split, energies = job.data.frames, job.data.split, job.data.self_energies
    found = job.fit("model", frames, split, self_energies=energies, start=job.begun(job.levels))
    held = job.data.frames.take(job.data.split.held_out)
    errors = {level: _errors(found.model, held, level, job) for level in job.levels}
    return _written(job, {"model": found}, errors, found.model)


def _continued(job: _Job) -> Made:
    low, *others = _several(job)
    frames, split = job.data.frames, job.data.split
    base = _first(job)
    own = {level: job.after(base.model, level) for level in others}
    start = with_levels(base.model, job.levels, own, source=low)
    found = job.fit("model", frames, split, start=start)
    held = frames.take(split.held_out)
    errors = {level: _errors(found.model, held, level, job) for level in job.levels}
    return _written(job, {"model": found}, errors, found.model)


def _transfer(job: _Job) -> Made:
    low, *others = _several(job)
    frames, split = job.data.frames, job.data.split
    base = _first(job)
    held, trained, errors = frames.take(split.held_out), {low: base}, {}
    errors[low] = _errors(base.model, held, low, job)
    for level in others:
        start = with_levels(base.model, [level], {level: job.after(base.model, level)}, source=low)
        trained[level] = job.fit(level, of_level(frames, level), split, start=start)
        errors[level] = _errors(trained[level].model, held, level, job)
    return _written(job, trained, errors, base.model)


def _difference(job: _Job) -> Made:
    low, *others = _several(job)
    frames, split = job.data.frames, job.data.split
    refuse_sizes(job.ready.network, len(frames.species), len(job.levels))
    base = _first(job)
    trained = {low: base}
    for level in others:
        name = f"{level}-minus-{low}"
        trained[name] = job.fit(name, differences(frames, level, base.model), split)
    sums = {level: [0, k] if k else [0] for k, level in enumerate(job.levels)}
    whole = joined([found.model.alone() for found in trained.values()], sums)
    held = frames.take(split.held_out)
    errors = {level: _errors(whole, held, level, job) for level in job.levels}
    made = _written(job, trained, errors, base.model)
    path = job.folder / MODEL
    provenance = {name: _provenance(job, name, found, {}) for name, found in trained.items()}
    save_levels(path, whole, {"made by": provenance[low]["made by"], "method": "difference", **provenance})
    return replace(made, models={"model": path, **made.models})


METHODS: dict[str, Callable[[_Job], Made]] = {
    "together": _together,
    "continued": _continued,
    "transfer": _transfer,
    "difference": _difference,
}
"""By ``training.method``."""


def _several(job: _Job) -> list[str]:
    if len(job.levels) < 2:
        method = job.settings.training.method
        what = f"is {method}, with one level"
        raise UserError(what, where="training.method", accepted="together, or two levels or more")
    return job.levels


def _first(job: _Job) -> Trained:
    """Train the first level alone."""
    low, data = job.levels[0], job.data
    frames = of_level(data.frames, low)
    return job.fit(low, frames, data.split, self_energies=data.self_energies, start=job.begun([low]))


def _errors(model: LevelledHipnn, held: LabelledFrames, level: str, job: _Job) -> dict[str, LabelErrors]:
    return level_errors(predictions(model.alone(level), held), held, level, job.data.self_energies[level])


def _written(
    job: _Job, trained: dict[str, Trained], errors: dict[str, dict[str, LabelErrors]], first: LevelledHipnn
) -> Made:
    """Write models, card, and the losses by epoch; ``first`` has the first level's head."""
    models = {}
    for name, found in trained.items():
        models[name] = job.folder / (MODEL if name == "model" else f"{name}.pt")
        provenance = _provenance(job, name, found, errors)
        save_levels(models[name], found.model, provenance)
        _write_history(job.folder / f"{models[name].stem}.csv", found.history)
    held = len(np.unique(job.data.frames.groups[job.data.split.held_out]))
    provenance = {name: _provenance(job, name, found, {}) for name, found in trained.items()}
    of_all = provenance["model"] if list(trained) == ["model"] else provenance
    notes = _notes(job, errors, first)
    with atomic_write(job.folder / CARD) as file:
        file.write(model_card(of_all, errors, held, _uses(job, models), notes))
    for line in [*table(errors), *notes] if any(errors.values()) else []:
        job.say(line)
    return Made(job.folder, models, errors)


def _notes(job: _Job, errors: dict[str, dict[str, LabelErrors]], model: LevelledHipnn) -> list[str]:
    """Return by level what its own head is worth."""
    frames, split, notes = job.data.frames, job.data.split, []
    learn = frames.take(split.training)
    given = given_energies(job.settings, learn)
    for level in job.levels[1:]:
        if errors[level]:
            held = frames.take(with_labels(frames, split.held_out, level))
            found = errors_by_first_level(model, level, learn, held, given[level])
            notes.append(in_words(level, job.levels[0], found))
    return notes


def _uses(job: _Job, models: dict[str, Path]) -> list[str]:
    lines = []
    for path in models.values():
        if "-minus-" in path.stem:
            continue
        level = f" and `<level>` one of {', '.join(job.levels)}" if len(job.levels) > 1 else ""
        level = level if path.name == MODEL else ""
        lines.append(f"`{path.name}`: `<kind>hippynn</kind>` with `<model>` this file{level}.")
    if job.settings.training.method == "difference":
        lines.append(
            f"`{MODEL}`: `<kind>hippynn</kind>` with `<model>` this file and `<level>` one of "
            f"{', '.join(job.levels)}: the first level's network and what others add to it, as one."
        )
    return lines


def _provenance(
    job: _Job, name: str, found: Trained, errors: Mapping[str, Mapping[str, LabelErrors]]
) -> dict[str, Any]:
    """Return what the model file says about itself: plain numbers and text."""
    from ase.data import chemical_symbols

    settings, split, frames = job.settings, job.data.split, job.data.frames
    uses = {"training": split.training, "validation": split.validation, "held out": split.held_out}
    counts = {
        use: {
            level: {
                kind: int(frames.has(level, kind)[part].sum())
                for kind in ("energies", "forces", "stress")
                if frames.has(level, kind)[part].any()
            }
            for level in job.levels
        }
        for use, part in uses.items()
    }
    energies = {
        level: {str(chemical_symbols[z]): float(value) for z, value in row.items()}
        for level, row in job.data.self_energies.items()
    }
    return {
        "made by": f"votca-mlp train {VERSION}",
        "method": settings.training.method,
        "files": [file for source in settings.data for file in source.file],
        **({"start": job.start.provenance} if job.start else {}),
        "network": job.ready.network,
        # continued, transfer and a start make separate heads of any
        "training": settings.training.model_dump() | {"heads": found.model.kind},
        "labels": counts,
        "self energies (eV)": energies,
        "best epoch": found.best_epoch,
        "epochs": len(found.history),
        "stopped": found.stopped,
        **{
            f"{level} left out of its head, RMSE (eV/atom)": fit.left_out
            for level, fit in found.fitted.items()
        },
        **{
            f"{level} {kind} held-out RMSE ({unit_of(kind)})": float(error.rmse)
            for level, kinds in errors.items()
            for kind, error in kinds.items()
        },
        "versions": versions(),
    }


def unit_of(kind: str) -> str:
    """Return the unit in which errors of a kind of label are shown."""
    return SCALES[kind][1]


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for entry in history for name in entry))
    with atomic_write(path) as file:
        file.write(",".join(["epoch", *names]) + "\n")
        for k, entry in enumerate(history):
            row = [f"{entry[name]:.8g}" if name in entry else "" for name in names]
            file.write(",".join([str(k + 1), *row]) + "\n")


def _refuse_folder(folder: Path, path: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError("output is a file", where=folder, accepted="a folder, or a name that is free")
    kept = folder / SETTINGS
    other = kept.is_file() and kept.resolve() != path.resolve() and kept.read_bytes() != path.read_bytes()
    if other and any((folder / CHECKPOINTS).glob("*.pt")):
        what = f"was made with other settings than {path.name}"
        accepted = "another output, or remove the folder; or the same settings"
        raise UserError(what, where=folder, accepted=accepted)
