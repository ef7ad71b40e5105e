"""npz files: padded arrays with one row a frame."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from votca_mlp.training.sources.arrays import frames_of_arrays
from votca_mlp.training.sources.raw import RawFrame


def read_npz(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read padded arrays; see :func:`~votca_mlp.training.sources.arrays.frames_of_arrays`."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    yield from frames_of_arrays(arrays, str(path))
