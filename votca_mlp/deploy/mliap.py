"""Model + correction as an object for LAMMPS's ``pair_style mliap unified``.

LAMMPS (built with the packages ML-IAP and PYTHON) unpickles the object and calls ``compute_forces`` in every
step with a data object: the elements of local atoms and ghosts, and every pair of a local atom with another
atom, d = x_j - x_i. It takes atomic energies and, for each pair, the force on the first atom, which is dE/dd;
the opposite goes to the second, which may be a ghost of another MPI rank. That is right as long as an atom's
energy depends on its own pairs alone. A second interaction layer needs features of ghosts, which come from
pairs that are not there: such models are refused.

Interface: LAMMPS, src/ML-IAP/mliap_unified_couple.pyx, and its documentation of pair_style mliap.
"""

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.models.origin import found_model, read_origin
from votca_mlp.potentials.correction import PairCorrection, read_correction

OBJECT = "corrected.mliap.pkl"
_LAMMPS = "mliap_unified_couple"
"""Where the data object of LAMMPS itself comes from."""


class CorrectedMLIAP:
    """Model + correction with the attributes and methods that LAMMPS's ML-IAP asks for.

    Parameters
    ----------
    content, tables
        Of an export in the format ``table``: what ``export.json`` holds, and the text of each table.
    trust
        Allow a pickled hippynn experiment.
    """

    def __init__(self, content: dict[str, Any], tables: dict[str, str], trust: bool = False) -> None:
        self.__setstate__({"content": content, "tables": tables, "trust": trust})

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: the tables and where the model is, with checksums, no weights."""
        return {"content": self.content, "tables": self.tables, "trust": self.trust}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from votca_mlp.evaluation.evaluator import PairListEvaluator
        from votca_mlp.evaluation.load import evaluator_of
        from votca_mlp.models.load import load_model

        self.content, self.tables, self.trust = state["content"], state["tables"], state["trust"]
        origin = read_origin(self.content)
        mlp = found_model(origin, where=OBJECT, trust=self.trust)
        correction = self._correction()
        model = load_model(mlp, origin.main_directory)
        evaluator = evaluator_of(model, mlp, correction, float(origin.skin))
        assert isinstance(evaluator, PairListEvaluator)
        self._take(evaluator.model, evaluator.device, evaluator.dtype, correction)

    def _correction(self) -> PairCorrection:
        """Return u(r) of the tables, read as VOTCA's tables are read anywhere."""
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for entry in self.content["tables"]:
                first, second = entry["types"]
                file = files[first, second] = Path(folder) / entry["file"]
                file.write_text(self.tables[entry["file"]])
            return read_correction(files)

    def _take(self, model: Any, device: Any, dtype: Any, correction: PairCorrection) -> None:
        """Make this an object of ``model`` and ``correction`` as LAMMPS asks for it."""
        from ase.data import chemical_symbols

        from votca_mlp.potentials.torch_pair import TorchPairCorrection

        refuse_layers(model)
        self.model, self.device, self.dtype = model, device, dtype
        self.correction = TorchPairCorrection(correction).to(device)

        # what LAMMPS reads
        self.interface: Any = None
        self.element_types = [chemical_symbols[z] for z in self.model.numbers]
        self.ndescriptors = 1
        self.nparams = sum(parameter.numel() for parameter in self.model.parameters())
        self.rcutfac = 0.5 * max(float(self.model.cutoff), correction.cutoff)

    def compute_gradients(self, data: Any) -> None:
        """Do nothing; a part of the interface."""

    def compute_descriptors(self, data: Any) -> None:
        """Do nothing; a part of the interface."""

    def watch(self, distances: Any, energies: Any) -> None:
        """Do nothing; a subclass may limit distances (Angstrom) and energies of all pairs and atoms."""

    def compute_forces(self, data: Any) -> None:
        """Write energy, atomic energies and the pairs' forces into LAMMPS's data object."""
        try:
            self._forces(data)
        except BaseException:
            if not type(data).__module__.startswith(_LAMMPS):
                raise
            # LAMMPS would wait for the other MPI ranks, which wait for this one
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _forces(self, data: Any) -> None:
        import torch

        local = int(data.nlistatoms)
        if local == 0:
            return
        known = torch.tensor(self.model.numbers, device=self.device)
        kinds = torch.as_tensor(data.elems, device=self.device).long()
        if data.npairs > 0:
            first, second = (
                torch.as_tensor(x, device=self.device).long() for x in (data.pair_i, data.pair_j)
            )
            vectors = torch.as_tensor(data.rij, device=self.device).double()
        else:
            first = second = torch.zeros(0, dtype=torch.long, device=self.device)
            vectors = torch.zeros(0, 3, dtype=torch.float64, device=self.device)
        if len(first) and int(first.max()) >= local:
            raise UserError(
                "LAMMPS gives pairs of some of the atoms only", accepted="one pair_coeff * * for all types"
            )
        distances = vectors.norm(dim=1)
        # the list reaches as far as the correction; models want it sorted
        near = (distances < self.model.cutoff).nonzero().squeeze(1)
        if bool((first.diff() < 0).any()):
            near = near[first[near].argsort(stable=True)]
        # of a second atom the model needs the element alone: one atom without pairs stands for all of a kind
        energies, slope = self.model.energies_and_gradient(
            torch.cat([known[kinds[:local]], known]),
            first[near],
            local + kinds[second[near]],
            vectors[near].to(self.dtype),
        )
        gradient = torch.zeros_like(vectors)
        gradient[near] = slope.double()
        u, du = self.correction.pair_energies(known[kinds[first]], known[kinds[second]], distances)
        # every pair comes twice
        gradient += (0.5 * du / distances).unsqueeze(1) * vectors
        atomic = energies.mean(0).double()[:local].index_add(0, first, 0.5 * u)
        self.watch(distances, atomic)
        data.energy = float(atomic.sum())
        self._hand_over(data, atomic, gradient)

    def _hand_over(self, data: Any, atomic: Any, gradient: Any) -> None:
        """Write into the arrays; those of the KOKKOS package are on the device and are filled in place."""
        import torch

        if "kokkos" not in type(data).__module__.lower():
            data.eatoms = atomic.cpu().numpy()
            if len(gradient):
                data.update_pair_forces(np.ascontiguousarray(gradient.cpu().numpy()))
            return
        device = torch.as_tensor(data.elems).device
        torch.as_tensor(data.eatoms, device=device).copy_(atomic)
        if len(gradient):
            update = data.update_pair_forces_cpu if device.type == "cpu" else data.update_pair_forces_gpu
            update(gradient.to(device).contiguous())


def refuse_layers(model: PairModel) -> None:
    """Refuse a network whose second interaction layer would need features of ghost atoms.

    Raises
    ------
    UserError
        Two or more interaction layers.
    """
    layers = model.interaction_layers
    if layers > 1:
        raise UserError(
            f"the network has {layers} interaction layers; in LAMMPS's ML-IAP the second would be wrong",
            accepted="<program>lammps</program> without <command>, which evaluates outside, or one layer",
        )
