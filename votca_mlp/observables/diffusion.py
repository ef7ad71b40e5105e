"""Self-diffusion from the Einstein relation, <|x(t) - x(0)|^2> = 6 D t + c.

The protocol of Matin et al. 2023: 30 trajectories of 1 ps, 1000 snapshots each; D of each is a sixth of the
slope of a straight line through its mean square displacement; the mean of the 30 is reported. Such short
runs hold some of the ballistic rise; ``fit_from`` leaves it out.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import M2_PER_S_PER_ANGSTROM2_PER_FS

BOLTZMANN = 1.380649e-23
"""J/K."""
OBSERVABLE = Observable(
    unit="m2/s",
    meaning="Self-diffusion coefficient, from frames close in time at constant volume (votca-mlp diffusion).",
)


def unwrap(frames: Iterable[Frame]) -> NDArray[np.float64]:
    """Return positions without jumps across the box, Angstrom, shape [n_frames, n_atoms, 3].

    Each step is taken to the nearest image, so no atom may move half a box between two frames. For constant
    boxes: in NPT the box's own motion would count as diffusion.
    """
    positions: list[NDArray[np.float64]] = []
    for frame in frames:
        if positions:
            step = frame.positions - positions[-1]
            positions.append(positions[-1] + step - frame.box * np.round(step / frame.box))
        else:
            positions.append(np.array(frame.positions, float))
    return np.stack(positions)


def split(positions: NDArray[np.float64], pieces: int) -> list[NDArray[np.float64]]:
    """Cut one trajectory, shape [n_frames, n_atoms, 3], into equally long consecutive pieces.

    Raises
    ------
    UserError
        When a piece would have fewer than three frames.
    """
    length = len(positions) // pieces
    if length < 3:
        raise UserError(
            f"{len(positions)} frames cannot be cut into {pieces} trajectories",
            accepted="at least three frames a trajectory",
        )
    return [positions[k * length : (k + 1) * length] for k in range(pieces)]


def mean_square_displacement(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the atoms' mean square displacement from the first frame, Angstrom^2, shape [n_frames].

    The motion of the (unweighted) centre of all atoms is taken out.

    Parameters
    ----------
    positions
        Unwrapped, Angstrom, shape [n_frames, n_atoms, 3].
    """
    moved = positions - positions[0]
    moved = moved - moved.mean(axis=1, keepdims=True)
    return np.asarray(np.einsum("tax,tax->t", moved, moved) / positions.shape[1])


def self_diffusion(
    frames: Iterable[Frame],
    interval: float,
    *,
    pieces: int = 10,
    fit_from: float = 0.0,
    element: str | None = None,
) -> Estimate:
    """Return D and its standard error in m^2/s from one trajectory at constant volume.

    Parameters
    ----------
    frames
        So close in time that no atom moves half a box between two of them.
    interval
        Time between frames, fs.
    pieces
        The trajectory is cut into so many; their scatter gives the error.
    fit_from
        See :func:`diffusion_coefficient`.
    element
        Only atoms of this type, all of them when None.

    Raises
    ------
    UserError
        A box that changes (its own motion would count as diffusion); no such atoms; too few frames.
    """
    return diffusion_coefficient(
        trajectories_of(frames, pieces=pieces, element=element), interval, fit_from=fit_from
    )


def trajectories_of(
    frames: Iterable[Frame], *, pieces: int = 10, element: str | None = None
) -> list[NDArray[np.float64]]:
    """Return unwrapped positions (Angstrom, [n_frames, n_atoms, 3]) of equally long consecutive pieces.

    Raises
    ------
    UserError
        As :func:`self_diffusion`.
    """
    chosen = list(frames)
    boxes = np.array([frame.box for frame in chosen])
    if np.ptp(boxes, axis=0).max() > 1e-6 * boxes.max():
        raise UserError("the box changes", accepted="a run at constant volume (<ensemble>nvt</ensemble>)")
    positions = unwrap(chosen)
    if element is not None:
        of_element = chosen[0].types == element
        if not of_element.any():
            kinds = ", ".join(sorted(set(chosen[0].types.tolist())))
            raise UserError(f"no atom is of type '{element}'", accepted=kinds)
        positions = positions[:, of_element]
    return split(positions, pieces)


def by_element(
    trajectories: Sequence[NDArray[np.float64]], types: NDArray[np.str_]
) -> dict[str, list[NDArray[np.float64]]]:
    """Return the positions of each element's atoms, in the order in which the elements appear.

    Parameters
    ----------
    trajectories
        Positions, each of shape [n_frames, n_atoms, 3].
    types
        Name of each atom's element, shape [n_atoms].
    """
    return {
        name: [positions[:, types == name] for positions in trajectories]
        for name in dict.fromkeys(types.tolist())
    }


def infinite_box(found: Estimate, temperature: float, viscosity: float, edge: float) -> Estimate:
    """Return D without the box's periodic images: D + 2.837297 kB T/(6 pi eta L).

    Yeh, Hummer, J. Phys. Chem. B 108, 15873 (2004), https://doi.org/10.1021/jp0477147. The error is D's.

    Parameters
    ----------
    found
        In a cubic box, m^2/s.
    temperature, viscosity, edge
        K, mPa s, Angstrom.
    """
    added = 2.837297 * BOLTZMANN * temperature / (6.0 * np.pi * 1e-3 * viscosity * 1e-10 * edge)
    return Estimate(found.mean + float(added), found.error)


def diffusion_coefficient(
    trajectories: Sequence[NDArray[np.float64]], interval: float, *, fit_from: float = 0.0
) -> Estimate:
    """Return D and its standard error in m^2/s from several independent or consecutive trajectories.

    Parameters
    ----------
    trajectories
        Unwrapped positions, Angstrom, each of shape [n_frames, n_atoms, 3].
    interval
        Time between frames, fs.
    fit_from
        Start of the straight line, fs. 0 is the paper's choice.

    Raises
    ------
    UserError
        No trajectories, fewer than three frames to fit, or a single atom.
    """
    if not trajectories:
        raise UserError("no trajectories to measure diffusion from", accepted="at least one")
    if trajectories[0].shape[1] < 2:
        # its own motion is that of the centre, which is taken out: D would be 0
        raise UserError(
            "one atom alone does not move against the centre of all", accepted="two atoms at least"
        )
    values = []
    for positions in trajectories:
        time = interval * np.arange(len(positions))
        used = time >= fit_from - 1e-9 * interval
        if used.sum() < 3:
            raise UserError(
                f"{int(used.sum())} frames after {fit_from} fs are too few for a straight line",
                accepted="longer trajectories or an earlier start of the fit",
            )
        slope = np.polyfit(time[used], mean_square_displacement(positions)[used], 1)[0]
        values.append(slope / 6.0 * M2_PER_S_PER_ANGSTROM2_PER_FS)
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return Estimate(float(np.mean(values)), error)
