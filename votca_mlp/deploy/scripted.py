"""TorchScript modules of the correction and of model + correction, for engines without Python."""

import contextlib
import io
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.contract import PairModel
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection
from votca_mlp.potentials.torch_temperature import TorchTemperatureCorrection

METADATA = "export.json"
"""Name of the provenance within a module's file."""


class ScriptedCorrection(TorchPairCorrection):
    """Total energy of the correction from a full pair list."""

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return the energy in eV, a scalar; arguments as in :class:`TorchPairCorrection`."""
        near = (torch.linalg.vector_norm(vectors, dim=1) < self.cutoff).nonzero().squeeze(1)
        distances = torch.linalg.vector_norm(vectors[near], dim=1)
        energy, _ = self.pair_energies(numbers[first[near]], numbers[second[near]], distances)
        return 0.5 * energy.sum()


class ScriptedTemperatureCorrection(TorchTemperatureCorrection, ScriptedCorrection):
    """The same with a temperature that can be set."""


class NoModel(nn.Module):
    """Stands where only the correction is exported."""

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return zero."""
        return torch.zeros([], dtype=vectors.dtype, device=vectors.device)


class Exported(nn.Module):
    """The module that engines load.

    Every argument may be of any precision; geometry is worked out in float64. The pair list has every ordered
    pair once, sorted by ``first``, at least out to ``cutoff``; pairs beyond are left out here.
    """

    def __init__(self, model: nn.Module, correction: nn.Module, cutoff: float, numbers: list[int]) -> None:
        super().__init__()
        self.model, self.correction = model, correction
        self.cutoff, self.numbers = cutoff, numbers

    def forward(
        self,
        positions: Tensor,
        numbers: Tensor,
        cell: Tensor,
        first: Tensor,
        second: Tensor,
        shifts: Tensor,
    ) -> Tensor:
        """Return the energy in eV, a scalar, differentiable in positions and cell.

        positions [n_atoms, 3] and cell [3, 3] (vectors in rows) in Angstrom; numbers [n_atoms]; first, second
        [n_pairs]; shifts [n_pairs, 3] of the second atoms in cell vectors.
        """
        x = positions.double()
        vectors = x[second] - x[first] + shifts.double() @ cell.double()
        return self._energy(numbers, first, second, vectors)

    def _energy(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        energy: Tensor = self.model(numbers, first, second, vectors).double()
        added: Tensor = self.correction(numbers, first, second, vectors)
        return energy + added

    @torch.jit.export
    def evaluate(
        self,
        positions: Tensor,
        numbers: Tensor,
        cell: Tensor,
        first: Tensor,
        second: Tensor,
        shifts: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and virial sum d x dE/dd (eV, [3, 3]).

        Stress is the virial over the volume; arguments as in :meth:`forward`.
        """
        x = positions.detach().double()
        vectors = x[second] - x[first] + shifts.double() @ cell.detach().double()
        vectors = vectors.detach().requires_grad_(True)
        energy = self._energy(numbers, first, second, vectors)
        gradient = torch.autograd.grad([energy], [vectors])[0]
        assert gradient is not None
        forces = torch.zeros_like(x).index_add(0, first, gradient).index_add(0, second, -gradient)
        virial = gradient.t() @ vectors.detach()
        return energy.detach(), forces, 0.5 * (virial + virial.t())


class ExportedOfTemperature(Exported):
    """The same for u(r; T): ``set_temperature`` comes before the first energy."""

    @torch.jit.export
    def set_temperature(self, temperature: float) -> None:
        """Use u(r; T) of a temperature in K; outside the fitted range an error, unless it was allowed."""
        self.correction.set_temperature(temperature)  # type: ignore[operator]

    @torch.jit.export
    def temperature(self) -> float:
        """Return the temperature of the correction, K; 0 before it is set."""
        return self.correction.temperature  # type: ignore[return-value]

    def _energy(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        if self.correction.temperature <= 0.0:  # type: ignore[operator]
            raise ValueError("u(r; T) has no temperature yet: call set_temperature(T in K) first")
        energy: Tensor = self.model(numbers, first, second, vectors).double()
        added: Tensor = self.correction(numbers, first, second, vectors)
        return energy + added


def scripted(
    model: PairModel | None, correction: PairCorrection | TemperatureCorrection, dtype: torch.dtype
) -> Any:
    """Return the TorchScript module of model + correction; of the correction alone when ``model`` is None.

    Raises
    ------
    UserError
        A kind of model that cannot be turned into TorchScript.
    """
    with quiet():
        try:
            return _scripted(model, correction, dtype)
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise UserError(f"TorchScript cannot hold this model: {(lines or ['unknown'])[0]}") from error


def save_module(path: Path, module: Any, provenance: Mapping[str, Any]) -> None:
    """Write a scripted module, with where it comes from as plain data.

    Raises
    ------
    UserError
        No space or no permission.
    """
    # through a buffer: torch's own writer turns a full disk into an internal error
    data = io.BytesIO()
    with quiet():
        torch.jit.save(module, data, _extra_files={METADATA: json.dumps(provenance).encode()})
    with atomic_write(path, "wb") as file:
        file.write(data.getvalue())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out torch's warnings that TorchScript is deprecated: C++ programs go on loading it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit\..* is deprecated")
        yield


def _scriptable(model: PairModel, dtype: torch.dtype) -> nn.Module:
    """Return the model as TorchScript can hold it; it is converted in place.

    Raises
    ------
    UserError
        A kind of model that cannot be turned into TorchScript.
    """
    module = model.scriptable(dtype)
    if module is None:
        raise UserError(
            f"no TorchScript for {type(model).__name__}",
            where="cg.inverse.mlp.kind",
            accepted="kind hippynn or ani; other calculators are Python code that TorchScript cannot hold",
        )
    return module


def _scripted(
    model: PairModel | None, correction: PairCorrection | TemperatureCorrection, dtype: torch.dtype
) -> Any:
    inner: nn.Module = NoModel() if model is None else _scriptable(model, dtype)
    varies = isinstance(correction, TemperatureCorrection)
    one = correction.terms[0] if isinstance(correction, TemperatureCorrection) else correction
    numbers = sorted({z for pair in one.pairs for z in pair}) if model is None else model.numbers
    cutoff = max(one.cutoff, 0.0 if model is None else float(model.cutoff))
    of_correction: Any = ScriptedTemperatureCorrection if varies else ScriptedCorrection
    wrapper = ExportedOfTemperature if varies else Exported
    module = wrapper(inner, of_correction(correction), cutoff, [int(z) for z in numbers])
    return torch.jit.script(module.eval())
