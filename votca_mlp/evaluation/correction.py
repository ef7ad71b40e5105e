"""The pair correction's energy, forces and virial of a moving configuration."""

import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.neighbours.verlet_lists import VerletClusterList, VerletPairList
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    import torch

    from votca_mlp.neighbours.device_pairs import Uploaded
    from votca_mlp.potentials.torch_pair import TorchPairCorrection

Array = NDArray[np.float64]


class CorrectionAdder:
    """The pair correction of a moving configuration.

    Parameters
    ----------
    correction
        At least one table.
    skin
        Angstrom.
    device
        None, CPU: compiled loops over clusters of neighbours, without torch. Others: torch in float64 on a
        pair list; a step copies the positions there and the forces back, and the list only when it is new.
    dtype
        Of the compiled loops; None is float64.
    """

    list: VerletClusterList | VerletPairList
    module: "TorchPairCorrection"

    def __init__(
        self,
        correction: PairCorrection,
        skin: float,
        device: "torch.device | None" = None,
        dtype: "torch.dtype | None" = None,
    ) -> None:
        self.device, self.on_host = device, device is None or device.type == "cpu"
        self._single = str(dtype) == "torch.float32"
        self._set_tables(correction)
        if self.on_host:
            self.list = VerletClusterList(self._tables.cutoffs[self._index], skin)
        else:
            self.list = VerletPairList(correction.cutoff, skin, full=False)
        self._pairs: Uploaded | None = None
        self._numbers = self._kinds = np.empty(0, np.int64)

    def with_tables(self, correction: PairCorrection) -> "CorrectionAdder":
        """Return an adder of other tables for the same elements and cutoffs that shares the list."""
        other = copy.copy(self)
        other._set_tables(correction)
        return other

    def forget(self) -> None:
        """Rebuild the neighbour list at the next call."""
        self.list.forget()

    def add(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> tuple[float, Array, Array]:
        """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and virial sum d x dE/dd (eV, [3, 3]).

        ``numbers`` are not to be changed, and the same array as long as they are the same: what is kept for
        them is made anew for another one.
        """
        if isinstance(self.list, VerletPairList):
            rebuilt = self.list.update(positions, cell, pbc)
            if rebuilt or self._pairs is None or numbers is not self._pairs.host_numbers:
                from votca_mlp.neighbours.device_pairs import Uploaded

                self._pairs = Uploaded(self.list, numbers, self._torch_device())
            return self._on_device(self._pairs, positions, cell)
        from votca_mlp.evaluation.correction_kernel import correction_sums
        from votca_mlp.kernels.chunks import chunks_for, use_threads

        use_threads(chunks_for(len(numbers)))
        if numbers is not self._numbers:
            kinds = np.searchsorted(self._elements, numbers).clip(max=len(self._elements) - 1)
            self._kinds = np.where(self._elements[kinds] == numbers, kinds, len(self._elements))
            self._numbers = numbers
        self.list.update(positions, cell, pbc, self._kinds)
        return correction_sums(
            positions, cell, self._kinds, self.list.clusters, self.list.shell, self._kernel_tables
        )

    def _set_tables(self, correction: PairCorrection) -> None:
        self._tables = tables = correction.stacked()
        # kinds of atoms: one for each element with a table, the last one for all others
        self._elements = np.array(sorted({z for pair in correction.pairs for z in pair}))
        self._index = np.zeros((len(self._elements) + 1,) * 2, np.int64)
        self._index[:-1, :-1] = tables.pair_index[np.ix_(self._elements, self._elements)]
        if self.on_host:
            from votca_mlp.evaluation.correction_kernel import kernel_tables

            dtype = np.float32 if self._single else np.float64
            self._kernel_tables = kernel_tables(tables, self._index, dtype)
        else:
            from votca_mlp.potentials.torch_pair import TorchPairCorrection

            self.module = TorchPairCorrection(correction).to(self.device)

    def _torch_device(self) -> "torch.device":
        import torch

        return self.device or torch.device("cpu")

    def _on_device(self, pairs: "Uploaded", positions: Array, cell: Array) -> tuple[float, Array, Array]:
        import torch

        from votca_mlp.evaluation.device import correction_sums

        x, box = (torch.from_numpy(each).to(self._torch_device()) for each in (positions, cell))
        energy, forces, virial = correction_sums(self.module, pairs, x, box)
        # one copy back instead of three
        result = torch.cat([energy.view(1), virial.view(9), forces.view(-1)]).cpu().numpy()
        return float(result[0]), result[10:].reshape(-1, 3), result[1:10].reshape(3, 3)
