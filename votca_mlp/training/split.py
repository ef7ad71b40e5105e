"""Which frames train, which stop the training, and which are held out: by groups, never by single frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.same_frames import frame_keys

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Frames by their use, ascending indices."""

    training: Indices
    validation: Indices
    held_out: Indices


def split_frames(
    frames: LabelledFrames,
    *,
    held_out: float,
    validation: float,
    seed: int,
    fixed: dict[str, str] | None = None,
    scarce_first: bool = False,
) -> Split:
    """Return a split in which frames of a group, and frames that are the same, stay together.

    The fractions are of the frames with each set of labels: a level with few energies has its share of them
    held out, too.

    Parameters
    ----------
    held_out, validation
        Fractions of the frames; at least one group each where the fraction is not 0.
    fixed
        Groups that are for ``training`` (and validation) or ``held_out`` whatever the fractions say.
    scarce_first
        Whether the scarcest labels choose first, and the others as many as the fraction leaves them, of
        groups without scarcer ones where there are any. Otherwise scarce labels in groups that others choose,
        too, are held out beyond their fraction; only for splits of former results.

    Raises
    ------
    UserError
        Too few groups; the same frame in groups that are fixed to different uses.
    """
    fixed = fixed or {}
    refuse_leaks(frames, fixed)
    cluster = _clusters(frames)
    names = frames.groups
    use = np.array([fixed.get(str(name), "split") for name in names])
    random = np.random.default_rng(seed)
    result = np.full(len(frames), "training", dtype="<U10")
    result[use == "held_out"] = "held_out"
    # a copy of a held-out frame is held out with it
    result[np.isin(cluster, cluster[use == "held_out"])] = "held_out"
    set_aside = result == "held_out"
    strata = _strata(frames)
    order, sizes = np.unique(strata, return_counts=True)
    if scarce_first:
        order = order[np.argsort(sizes, kind="stable")]
    for fraction, what in ((held_out, "held_out"), (validation, "validation")):
        chose = np.zeros(len(frames), bool)
        for stratum in order if fraction > 0 else ():
            inside = strata == stratum
            open_ = inside & (result == "training")
            if what == "held_out":
                # held out as a whole, or with the frames of other labels
                enough = set_aside if scarce_first else result == "held_out"
                if enough[inside].mean() > 0.5 * fraction:
                    continue
                open_ &= use == "split"
                open_ &= ~np.isin(cluster, cluster[use == "training"])
            # some may be there already, with frames of scarcer labels
            taken = int((inside & (result == what)).sum()) if scarce_first else 0
            wanted = fraction * (taken + int(open_.sum())) - taken
            apart = open_ & ~np.isin(cluster, cluster[chose])
            chose |= inside
            if scarce_first and len(np.unique(cluster[apart])) > 1:
                open_ = apart
            if len(np.unique(cluster[open_])) < 2:
                # all held out, or a rare set of labels that trains
                continue
            chosen = _some(cluster, open_, wanted, random, fewest=0 if taken else 1)
            result[np.isin(cluster, chosen) & (result == "training")] = what
        if fraction > 0:
            _refuse_few(frames, result, use, what)
    return Split(*(np.flatnonzero(result == name) for name in ("training", "validation", "held_out")))


def refuse_leaks(frames: LabelledFrames, fixed: dict[str, str]) -> None:
    """Refuse a frame that is both for training and held out.

    Raises
    ------
    UserError
        Naming both frames and how many there are.
    """
    use = np.array([fixed.get(str(name), "split") for name in frames.groups])
    if not ((use == "training").any() and (use == "held_out").any()):
        return
    keys = frame_keys(frames)
    training = {keys[k]: k for k in np.flatnonzero(use == "training")}
    both = [(training[keys[k]], k) for k in np.flatnonzero(use == "held_out") if keys[k] in training]
    if both:
        a, b = both[0]
        more = f" ({len(both)} such frames)" if len(both) > 1 else ""
        raise UserError(
            f"is the same frame as {frames.origins[a]}, which is for training{more}",
            where=f"{frames.origins[b]} (held out)",
            accepted="frames that are in one of them only",
        )


def _clusters(frames: LabelledFrames) -> Indices:
    """Return numbers of what stays together: groups, joined where they share a frame; shape [n_frames]."""
    _, group = np.unique(frames.groups, return_inverse=True)
    parent = list(range(int(group.max(initial=-1)) + 1))

    def root(g: int) -> int:
        while parent[g] != g:
            parent[g] = parent[parent[g]]
            g = parent[g]
        return g

    first: dict[bytes, int] = {}
    for key, g in zip(frame_keys(frames), group.tolist(), strict=True):
        parent[root(g)] = root(first.setdefault(key, g))
    return np.array([root(g) for g in group.tolist()], np.int64)


def _strata(frames: LabelledFrames) -> NDArray[np.int64]:
    """Return a number for each set of levels and kinds of labels that frames have, shape [n_frames]."""
    columns = [
        frames.has(level, kind) for level in frames.levels for kind in ("energies", "forces", "stress")
    ]
    table = np.array(columns).T if columns else np.zeros((len(frames), 1))
    return np.asarray(np.unique(table, axis=0, return_inverse=True)[1].ravel())


def _some(
    cluster: Indices, there: NDArray[np.bool_], wanted: float, random: np.random.Generator, *, fewest: int
) -> Indices:
    """Return clusters in random order up to so many frames, but not fewer clusters than ``fewest``."""
    names, counts = np.unique(cluster[there], return_counts=True)
    order = random.permutation(len(names))
    before = np.cumsum(counts[order]) - counts[order]
    # the nearest number of frames to what is wanted
    take = max(fewest, int((before + 0.5 * counts[order] < wanted).sum()))
    return np.asarray(names[order[:take]])


def _refuse_few(frames: LabelledFrames, result: NDArray[np.str_], use: NDArray[np.str_], what: str) -> None:
    """Refuse a level that has frames to choose from, none of which could be taken."""
    for level in frames.levels:
        labelled = frames.has(level, "energies") | frames.has(level, "forces") | frames.has(level, "stress")
        fixed = use == "training" if what == "held_out" else result == "held_out"
        if (labelled & ~fixed).any() and not (labelled & (result == what)).any():
            words = what.replace("_", "-") + " frames"
            number = len(np.unique(frames.groups[labelled]))
            groups = f"{number} group{'s' if number > 1 else ''} of frames"
            raise UserError(
                f"level '{level}' has {groups}: none can be taken for {words}",
                where=str(frames.origins[np.flatnonzero(labelled)[0]]),
                accepted="more groups (group: frame, or a number of consecutive frames)"
                + (", 'use' of other files, or held_out: 0" if what == "held_out" else ", or fewer held out"),
            )
