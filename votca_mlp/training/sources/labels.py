"""Which values of a file are labels of which level, in which units: settings of one source, applied."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, PositiveInt, model_validator

from votca_mlp.errors import UserError
from votca_mlp.fields import Section, setting
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.label_units import ENERGIES, FORCES, LENGTHS, STRESSES, VIRIALS
from votca_mlp.training.sources.raw import RawFrame
from votca_mlp.training.sources.registry import FORMATS, read_raw, refuse_unknown_key


def _one_of(known: Mapping[str, object], noun: str = "unit") -> Any:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"no such {noun}")
        return value

    return AfterValidator(check)


def _many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class _Label(Section):
    key: str = setting(meaning="Name of the label in the file.")
    missing: Literal["refuse", "nan"] = setting(
        "refuse", meaning="What nan in the file is: a fault, or a frame without this label."
    )


class EnergyLabel(_Label):
    """Energies of a level in a file."""

    unit: Annotated[str, _one_of(ENERGIES)] = setting(
        meaning="Unit of the energies.", accepted=" | ".join(ENERGIES)
    )
    per_atom: bool = setting(False, meaning="Energies in the file are by atom.")


class ForceLabel(_Label):
    """Forces of a level in a file."""

    unit: Annotated[str, _one_of(FORCES)] = setting(
        meaning="Unit of the forces.", accepted="ENERGY/LENGTH, such as eV/Angstrom or Hartree/Bohr"
    )
    sign: Literal["+", "-"] = setting("+", meaning="- where the file has gradients of the energy.")


class StressLabel(_Label):
    """Stress or virial of a level in a file."""

    unit: Annotated[str, _one_of({**STRESSES, **VIRIALS})] = setting(
        meaning="Unit; an energy means a virial, which is divided by the volume.",
        accepted="GPa | kbar | bar | ENERGY/LENGTH^3 | ENERGY",
    )
    sign: Literal["+", "-"] = setting(
        "+", meaning="+ where tension is positive (ASE), - where compression is (VASP, virials of deepmd)."
    )


class LevelLabelling(Section):
    """The labels of one level in a file."""

    energy: EnergyLabel | None = setting(None, meaning="Energies.", accepted="{key: ..., unit: ...}")
    forces: ForceLabel | None = setting(None, meaning="Forces.", accepted="{key: ..., unit: ...}")
    stress: StressLabel | None = setting(None, meaning="Stress.", accepted="{key: ..., unit: ...}")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.energy is None and self.forces is None and self.stress is None:
            raise ValueError("no label")
        return self


class Source(Section):
    """Files with labelled frames."""

    file: Annotated[tuple[str, ...], BeforeValidator(_many)] = setting(
        meaning="File, or list of files; relative to the settings.", accepted="a file, or [file, file]"
    )
    format: Annotated[str, _one_of(FORMATS, "format")] | None = setting(
        None, meaning="Format; by the name of the file where absent.", accepted=" | ".join(FORMATS)
    )
    length: Annotated[str, _one_of(LENGTHS)] = setting(
        "Angstrom", meaning="Unit of positions and cells.", accepted=" | ".join(LENGTHS)
    )
    elements: tuple[str, ...] = setting(
        (), meaning="Elements of numbered types (deepmd without type_map.raw)."
    )
    use: Literal["split", "training", "held_out"] = setting(
        "split", meaning="Whether the split chooses, or all its frames are for training, or held out."
    )
    group: str = setting(
        "",
        meaning="What is never split: frames alike in this value of the file, each file, each frame, or "
        "blocks of so many consecutive frames. Where absent: the groups of the file, else 20 blocks of it.",
        accepted="file | frame | a number of frames | the name of a value",
    )
    frames: PositiveInt | None = setting(
        None, meaning="Use so many frames of each file, evenly spaced; all where absent."
    )
    mixed: bool = setting(False, meaning="yes: a rare frame with fewer atoms than all others is meant.")
    levels: dict[str, LevelLabelling] = setting(
        meaning="Labels by level.",
        accepted="LEVEL: {energy: {key: ..., unit: ...}, forces: ..., stress: ...}",
    )


def read_source(source: Source, folder: Path) -> list[LabelledFrames]:
    """Return the frames of each file of a source, in eV and Angstrom.

    Raises
    ------
    UserError
        Naming file, frame and label: a file that cannot be read, names that are not in it, atoms or labels
        that are missing, numbers that are none.
    """
    parts = []
    for name in source.file:
        path = folder / name
        raw = read_raw(path, source.format, source.elements)
        for level in source.levels.values():
            for label in (level.energy, level.forces, level.stress):
                if label is not None:
                    refuse_unknown_key(raw, label.key, path)
        if source.frames is not None and source.frames < len(raw):
            raw = [raw[k] for k in np.linspace(0, len(raw) - 1, source.frames).round().astype(int)]
        parts.append(_frames_of(source, raw, path))
    return parts


def _frames_of(source: Source, raw: Sequence[RawFrame], path: Path) -> LabelledFrames:
    from ase import Atoms

    scale = LENGTHS[source.length]
    atoms = []
    for frame in raw:
        _refuse_positions(frame, path)
        atoms.append(
            Atoms(frame.numbers, scale * frame.positions, cell=scale * frame.cell, pbc=frame.pbc.tolist())
        )
    volumes = [abs(np.linalg.det(scale * frame.cell)) for frame in raw]
    levels: dict[str, dict[str, list[Any]]] = {}
    for level, labelling in source.levels.items():
        found = levels[level] = {}
        for kind, label in (
            ("energies", labelling.energy),
            ("forces", labelling.forces),
            ("stress", labelling.stress),
        ):
            if label is not None:
                found[kind] = [
                    _value(frame, volume, level, label, path)
                    for frame, volume in zip(raw, volumes, strict=True)
                ]
    return labelled_frames(
        atoms, levels, _groups(source, raw, path), [f"{path}, {frame.origin}" for frame in raw]
    )


def _value(
    frame: RawFrame, volume: float, level: str, label: EnergyLabel | ForceLabel | StressLabel, path: Path
) -> Any:
    """Return one label in the package's units, None where the frame has none."""
    where = f"{path}, {frame.origin}"
    value = frame.values.get(label.key)
    if value is None:
        return None
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise UserError(
            f"'{label.key}' of level '{level}' is '{value}'", where=where, accepted="numbers"
        ) from None
    if np.isnan(array).any() and label.missing == "nan":
        return None
    count = len(frame.numbers)
    shape: tuple[int, ...]
    if isinstance(label, ForceLabel):
        shape, factor = (count, 3), FORCES[label.unit]
    elif isinstance(label, StressLabel):
        virial = label.unit in VIRIALS
        if volume <= 0:
            what = f"'{label.key}' of level '{level}' is a stress, but the frame has no cell"
            raise UserError(what, where=where, accepted="a periodic frame")
        if not frame.pbc.all():
            directions = int(frame.pbc.sum())
            what = f"'{label.key}' of level '{level}' is a stress, but the frame is periodic in {directions} "
            what += f"direction{'s' if directions != 1 else ''}"
            accepted = "periodic in three directions; or no stress of such frames, in a source of their own"
            raise UserError(what, where=where, accepted=accepted)
        shape, factor = (3, 3), VIRIALS[label.unit] / volume if virial else STRESSES[label.unit]
    else:
        shape, factor = (), ENERGIES[label.unit] * (count if label.per_atom else 1)
        array = array.squeeze()
    if array.shape != shape:
        what = f"'{label.key}' of level '{level}' has shape {list(array.shape)}, the frame has {count} atoms"
        raise UserError(what, where=where, accepted=f"shape {list(shape)}")
    if not np.isfinite(array).all():
        what = f"'{label.key}' of level '{level}' is {array[~np.isfinite(array)][0] if shape else array}"
        raise UserError(what, where=where, accepted="numbers; 'missing: nan' where nan means no label")
    return factor * array * (-1 if getattr(label, "sign", "+") == "-" else 1)


def _refuse_positions(frame: RawFrame, path: Path) -> None:
    where = f"{path}, {frame.origin}"
    if not len(frame.numbers):
        raise UserError("has no atoms", where=where, accepted="one atom or more")
    if (frame.numbers <= 0).any():
        what = f"atom {int(np.flatnonzero(frame.numbers <= 0)[0]) + 1} has no element"
        raise UserError(what, where=where, accepted="an atomic number from 1; padding only after the atoms")
    if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell).all()):
        raise UserError("positions or cell are not finite", where=where, accepted="numbers")
    periodic = frame.cell[frame.pbc]
    if np.linalg.matrix_rank(periodic) < len(periodic):
        what = f"is periodic in {len(periodic)} directions, but its cell does not span them"
        raise UserError(what, where=where, accepted="a cell vector for each, not in one plane; or no pbc")


def _groups(source: Source, raw: Sequence[RawFrame], path: Path) -> list[str]:
    """Return the group of each frame; the file's name is part of it."""
    if source.group == "file":
        return [str(path)] * len(raw)
    own = [frame.group for frame in raw]
    if source.group in ("", "frame") or source.group.isdecimal():
        if source.group == "" and len(set(own)) > 1:
            return [f"{path}: {name}" for name in own]
        size = int(source.group) if source.group.isdecimal() else 1
        if source.group == "":
            size = max(1, -(-len(raw) // 20))
        return [f"{path}: {k // max(1, size)}" for k in range(len(raw))]
    refuse_unknown_key(raw, source.group, path)
    for frame in raw:
        if frame.values.get(source.group) is None:
            what = f"has no '{source.group}', by which frames are grouped"
            accepted = "the value in every frame, or another 'group'"
            raise UserError(what, where=f"{path}, {frame.origin}", accepted=accepted)
    return [f"{path}: {frame.values.get(source.group)}" for frame in raw]
