"""From the sources of a settings.yaml to frames that can be trained on: read, checked, split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.checks import (
    refuse_contradictions,
    refuse_levels_without_labels,
    refuse_missing_atoms,
    refuse_new_species,
    refuse_overlaps,
)
from votca_mlp.training.labelled import LabelledFrames, LevelLabels, concatenate
from votca_mlp.training.same_frames import frame_keys
from votca_mlp.training.self_energies import determined, self_energies
from votca_mlp.training.settings.models import LevelSettings, TrainSettings
from votca_mlp.training.sources.common_frames import refuse_other_unit
from votca_mlp.training.sources.finite_differences import refuse_wrong_units
from votca_mlp.training.sources.labels import read_source
from votca_mlp.training.sources.odd_energies import refuse_odd_energies
from votca_mlp.training.sources.plausible import doubtful_units
from votca_mlp.training.split import Split, split_frames


@dataclass(frozen=True)
class Prepared:
    """Checked data.

    Attributes
    ----------
    frames
        All frames, with all levels in the order of the settings.
    split
        Their use.
    self_energies
        eV by level and atomic number, from training frames.
    """

    frames: LabelledFrames
    split: Split
    self_energies: dict[str, dict[int, float]]


def assemble(
    settings: TrainSettings, folder: Path, say: Callable[[str], None] = lambda line: None
) -> Prepared:
    """Read, check and split the data.

    Parameters
    ----------
    folder
        What the files' names are relative to.
    say
        Takes one line on each thing that was found.

    Raises
    ------
    UserError
        The first thing that is wrong: file, frame, label.
    """
    parts: list[LabelledFrames] = []
    fixed: dict[str, str] = {}
    for source in settings.data:
        for file, part in zip(source.file, read_source(source, folder), strict=True):
            if not source.mixed:
                refuse_missing_atoms(part)
            refuse_overlaps(part)
            for level in part.levels:
                for line in refuse_wrong_units(part, level, str(folder / file)):
                    say(line)
            say(f"{file}: {_described(part)}")
            if source.use != "split":
                fixed |= dict.fromkeys(part.groups.tolist(), source.use)
            parts.append(part)
    frames = _ordered(concatenate(parts), list(settings.levels))
    keys = frame_keys(frames)
    refuse_contradictions(frames, keys)
    for line in refuse_other_unit(frames, keys) + refuse_odd_energies(frames) + doubtful_units(frames):
        say(line)
    split = split_frames(
        frames,
        held_out=settings.split.held_out,
        validation=settings.split.validation,
        seed=settings.split.seed,
        fixed=fixed,
        scarce_first=True,
    )
    refuse_levels_without_labels(
        frames, split, {name: _counted(found) for name, found in settings.levels.items()}
    )
    refuse_new_species(frames, split)
    training = frames.take(split.training)
    energies = {}
    for level, given in given_energies(settings, training).items():
        energies[level] = self_energies(training, level, given)
        say(f"self energies of {level}, eV: {_in_words(energies[level])}{_remark(training, level, given)}")
    say(
        f"{len(split.training)} frames for training, {len(split.validation)} for validation, "
        f"{len(split.held_out)} held out"
    )
    return Prepared(frames, split, energies)


def given_energies(settings: TrainSettings, frames: LabelledFrames) -> dict[str, dict[int, float]]:
    """Return the self energies that the settings fix, eV by level and atomic number.

    Raises
    ------
    UserError
        A species that no frame has.
    """
    return {name: _given(options, frames.species, name) for name, options in settings.levels.items()}


def _ordered(frames: LabelledFrames, levels: Sequence[str]) -> LabelledFrames:
    """Return the frames with all levels in this order, also those that have no label."""
    none = LevelLabels.none(len(frames), len(frames.numbers))
    labels = {name: frames.levels.get(name, none) for name in levels}
    columns = {name: getattr(frames, name) for name in frames.__dataclass_fields__ if name != "levels"}
    return LabelledFrames(**columns, levels=labels)


def _counted(options: LevelSettings) -> tuple[str, ...]:
    """Return the kinds of labels that have a weight."""
    weights = {"energies": options.energy, "forces": options.forces, "stress": options.stress}
    return tuple(kind for kind, weight in weights.items() if weight > 0)


def _given(options: LevelSettings, species: Sequence[int], level: str) -> dict[int, float]:
    from ase.data import atomic_numbers

    given = {atomic_numbers[name]: value for name, value in options.self_energies.items()}
    unknown = [name for name in options.self_energies if atomic_numbers[name] not in species]
    if unknown:
        what = f"{unknown[0]} is in no training frame"
        raise UserError(what, where=f"levels.{level}.self_energies", accepted="species of the data")
    return given


def _remark(frames: LabelledFrames, level: str, given: dict[int, float]) -> str:
    if not frames.has(level, "energies").any():
        return " (this level has no energies: it gives forces, its energies have no origin)"
    if not determined(frames, level, given):
        return " (compositions do not tell species apart: least norm; only sums over a frame mean something)"
    return ""


def _in_words(energies: dict[int, float]) -> str:
    from ase.data import chemical_symbols

    return ", ".join(f"{chemical_symbols[z]} {value:.4f}" for z, value in energies.items())


def _described(frames: LabelledFrames) -> str:
    counts = []
    for level in frames.levels:
        kinds = [
            f"{int(frames.has(level, kind).sum())} {kind}"
            for kind in ("energies", "forces", "stress")
            if frames.has(level, kind).any()
        ]
        counts.append(f"{level} {', '.join(kinds) or 'no labels'}")
    groups = len(np.unique(frames.groups))
    return f"{len(frames)} frames in {groups} groups, {len(frames.numbers)} atoms; {'; '.join(counts)}"
