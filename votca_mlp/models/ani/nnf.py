"""One network file (``.nnf``) of the NeuroChem format with its weights, read as data and never executed.

The file holds a length in ASCII, ``=``, a newline and a bz2 stream of that many bytes of text: the layers'
sizes and the names of their parameter files, which are little-endian float32 beside it.
"""

import bz2
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special

_TEXT_LIMIT = 1 << 20  # bytes; real files have about a thousand, a crafted bz2 stream could have gigabytes
_NODES_LIMIT = 1 << 16
_KIND = "a NeuroChem network (.nnf: length, '=', newline, bz2 text) with its .wparam and .bparam files"
_PARAMETERS = re.compile(r"FILE:([\w.+-]+)\[(\d+)\]")
_CELU, _LINEAR = 9, 6


@dataclass(frozen=True)
class AtomicNetwork:
    """A feed-forward network: CELU (alpha 0.1) after every layer but the last, which is linear.

    Attributes
    ----------
    weights, biases
        By layer, shapes [out, in] and [out]; float32. The output is an energy in Hartree.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs and of each layer's outputs."""
        return (self.weights[0].shape[1], *(len(bias) for bias in self.biases))


def read_nnf(path: Path) -> AtomicNetwork:
    """Read one network.

    Raises
    ------
    UserError
        Naming the file: missing, truncated, of another kind, an activation other than CELU, sizes that do
        not fit together, parameters that are not finite.
    """
    text = _text(path)
    inputs = re.search(r"inputsize\s*=\s*(\d+)\s*;", text)
    blocks = _layers(text)
    if inputs is None or not blocks:
        raise UserError("no complete list of layers in the network's text", where=path, accepted=_KIND)
    size, weights, biases = int(inputs.group(1)), [], []
    for number, block in enumerate(blocks, start=1):
        settings = _settings(block)
        where = f"{path} (layer {number})"
        nodes = _integer(settings, "nodes", where)
        if not 0 < nodes <= _NODES_LIMIT or not 0 < size <= _NODES_LIMIT:
            raise UserError(f"{size} inputs and {nodes} nodes", where=where, accepted=f"1 to {_NODES_LIMIT}")
        expected = _LINEAR if number == len(blocks) else _CELU
        _require(settings, "activation", expected, where, "CELU (9) in hidden layers, linear (6) in the last")
        _require(settings, "type", 0, where, "a fully connected layer (type 0)")
        _require(settings, "btchnorm", 0, where, "a layer without batch normalisation")
        _require(settings, "blocksize", size, where, "as many inputs as the layer before has nodes")
        weights.append(_parameters(path, settings, "weights", size * nodes, where).reshape(nodes, size))
        biases.append(_parameters(path, settings, "biases", nodes, where))
        size = nodes
    if size != 1:
        raise UserError(f"the last layer has {size} nodes", where=path, accepted="one: the atom's energy")
    return AtomicNetwork(tuple(weights), tuple(biases))


def read_bytes(path: Path, accepted: str) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    UserError
        Naming the file and ``accepted`` when it cannot be read.
    """
    refuse_special(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", where=path, accepted=accepted) from None


def _text(path: Path) -> str:
    data = read_bytes(path, _KIND)
    head, separator, stream = data.partition(b"=\n")
    if not separator or not head.strip().isdigit() or len(head) > 12:
        raise UserError("does not begin with a length and '='", where=path, accepted=_KIND)
    decompressor = bz2.BZ2Decompressor()
    try:
        text = decompressor.decompress(stream, max_length=_TEXT_LIMIT)
    except OSError:
        raise UserError("what follows '=' is not bz2 data", where=path, accepted=_KIND) from None
    if not decompressor.eof:
        raise UserError("the bz2 data are truncated or too long", where=path, accepted=_KIND)
    if len(text) != int(head):
        what = f"holds {len(text)} bytes of text where its first line says {int(head)}"
        raise UserError(what, where=path, accepted=_KIND)
    try:
        return text.decode("ascii").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UserError("the network's text is not ASCII", where=path, accepted=_KIND) from None


# by hand: an expression that goes back and forth takes minutes for a crafted line of a megabyte


def _layers(text: str) -> list[str]:
    """Return what is between ``layer [`` and the next line with ``]``; none where one has no end."""
    found, at = [], 0
    for match in re.finditer(r"\blayer\s*\[", text):
        if match.start() < at:
            return []
        end = text.find("\n]", match.end())
        if end < 0:
            return []
        found.append(text[match.end() : end])
        at = end
    return found


def _settings(block: str) -> dict[str, str]:
    """Return the settings ``name = value;`` of a layer."""
    found = {}
    for part in block.split(";")[:-1]:
        name, separator, value = part.partition("=")
        if separator and name.strip():
            found[name.split()[-1]] = value.strip()
    return found


def _integer(settings: dict[str, str], name: str, where: str) -> int:
    value = settings.get(name, "").strip()
    if not re.fullmatch(r"\d{1,9}", value):
        what = f"'{name}' is '{value}'" if name in settings else f"'{name}' is missing"
        raise UserError(what, where=where, accepted="a whole number")
    return int(value)


def _require(settings: dict[str, str], name: str, expected: int, where: str, accepted: str) -> None:
    value = _integer(settings, name, where)
    if value != expected:
        raise UserError(f"'{name}' is {value} where {expected} is needed", where=where, accepted=accepted)


def _parameters(
    path: Path, settings: dict[str, str], name: str, count: int, where: str
) -> NDArray[np.float32]:
    # the name pattern has no '/', so the file is always one beside the network's
    match = _PARAMETERS.fullmatch(settings.get(name, "").strip())
    if match is None:
        raise UserError(f"'{name}' names no file", where=where, accepted="FILE:name[count]")
    if int(match.group(2)) != count:
        what = f"'{name}' has {match.group(2)} values where the layer's sizes need {count}"
        raise UserError(what, where=where, accepted=str(count))
    file = path.parent / match.group(1)
    data = read_bytes(file, f"{count} little-endian float32 values")
    if len(data) != 4 * count:
        raise UserError(f"has {len(data)} bytes", where=file, accepted=f"{4 * count}: {count} float32 values")
    values = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError("has values that are not finite", where=file, accepted="finite float32 values")
    return values
