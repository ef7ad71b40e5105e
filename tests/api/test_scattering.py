"""vm.structure_factor: the partials and totals that the fit compares, of frames of any origin."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

import votca_mlp as vm
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.observables.whole import WholeCounter
from votca_mlp.scattering.data import beyond, total
from votca_mlp.trajectories.frames import frame_from_atoms


def gases(count: int) -> list[Atoms]:
    random = np.random.default_rng(1)
    return [
        Atoms("Ar30Kr30", positions=random.random((60, 3)) * 14.0, cell=[14.0] * 3, pbc=True)
        for _ in range(count)
    ]


def test_as_the_fit_compares(tmp_path: Path) -> None:
    q = np.arange(1.0, 8.0, 0.25)
    np.savetxt(tmp_path / "d.dat", np.stack([q, 0.1 * np.sin(3 * q) / q, np.full(len(q), 0.01)], axis=1))
    source = vm.ScatteringSource(tmp_path / "d.dat", "d", isotopes="36Ar", columns=(1, 2, 3))
    atoms = gases(12)
    found = vm.structure_factor(atoms, data=source)
    counter = WholeCounter()
    for one in atoms:
        counter.add(frame_from_atoms(one))
    counted = counter.histograms()
    wanted = total(source.data, partial_factors(counted, q)).mean(axis=0) + beyond(source.data, counted)
    assert found.total == pytest.approx(wanted)
    assert set(found.partials) == {("Ar", "Ar"), ("Ar", "Kr"), ("Kr", "Kr")}
    # an ideal gas
    off = (found.partials["Ar", "Kr"] - 1.0) / found.partial_errors["Ar", "Kr"]
    assert np.sqrt(np.mean(off**2)) < 2.0
    assert found.error is not None
    assert (found.error > 0).all()
    alone = vm.structure_factor(atoms[:1], q[:5])
    assert alone.total is None
    assert np.isnan(alone.partial_errors["Ar", "Ar"]).all()


def test_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(vm.UserError, match="neither Q nor a data set"):
        vm.structure_factor(gases(1))
    with pytest.raises(vm.UserError, match="no frames"):
        vm.structure_factor([], np.ones(3))
    with pytest.raises(vm.UserError, match="numbers > 0"):
        vm.structure_factor(gases(1), np.zeros(3))
    q = np.arange(1.0, 8.0, 0.25)
    np.savetxt(tmp_path / "d.dat", np.stack([q, np.sin(q) / q, np.full(len(q), 0.01)], axis=1))
    other = vm.ScatteringSource(tmp_path / "d.dat", "d", isotopes="D", columns=(1, 2, 3))
    with pytest.raises(vm.UserError, match="names isotopes of H"):
        vm.structure_factor(gases(1), data=other)
