"""Cells, pair counts and angles: values against the package's own, known crystals, and gradients."""

import numpy as np
import pytest
import torch
from ase.build import bulk

from tests.training.fusion.crystals import check_gradient, network
from votca_mlp.errors import UserError
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.training.fusion.observables.angles import AngleDistribution
from votca_mlp.training.fusion.observables.cell import Density, LatticeConstants
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, uniform
from votca_mlp.training.fusion.observables.structure import RadialDistribution, StructureFactor, frames_of

R = np.arange(0.0, 4.0, 0.1)
Q = np.linspace(1.0, 8.0, 8)
TEMPERATURE = 3000.0


@pytest.fixture(scope="module")
def frames() -> StoredFrames:
    """Rectangular boxes of 54 atoms whose size fluctuates."""
    found = []
    for seed in range(12):
        atoms = bulk("Ti", "bcc", a=3.3 + 0.04 * np.sin(7.0 * seed), cubic=True).repeat((3, 3, 3))
        atoms.rattle(0.15, seed=seed)
        found.append(atoms)
    return stored_frames(found)


def test_pair_counts_are_those_of_the_observables(frames: StoredFrames) -> None:
    """g(r) and S(Q) with equal weights, to rounding, and with weights that take one half of the frames."""
    of_g, of_s = RadialDistribution(("Ti", "Ti"), R), StructureFactor(Q, 4.5, {("Ti", "Ti"): 1.0})
    values = of_g.of_frames(frames) | of_s.of_frames(frames) | {"volume": frames.volumes}
    half = torch.tensor([1.0 / 6.0] * 6 + [0.0] * 6, dtype=torch.float64)
    for weights, of in ((uniform(frames), frames), (half, frames.take(slice(0, 6)))):
        counted = pair_histograms(frames_of(of), [("Ti", "Ti")], R)
        assert of_g.value(weights, values).numpy() == pytest.approx(counted.g(("Ti", "Ti")), rel=1e-12)
        fine = pair_histograms(frames_of(of), [("Ti", "Ti")], of_s.r)
        reference = partial_factors(fine, Q).mean()[0]
        assert of_s.value(weights, values).numpy() == pytest.approx(reference, rel=1e-9, abs=1e-9)


def test_two_species_add_up() -> None:
    """c_a^2 and 2 c_a c_b as coefficients make S(Q) of all atoms taken as one species."""
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2)
    atoms.rattle(0.2, seed=3)
    mixed = stored_frames([atoms])
    atoms.symbols = "Ar64"
    alike = stored_frames([atoms])
    pairs = {("Na", "Na"): 0.25, ("Cl", "Cl"): 0.25, ("Na", "Cl"): 0.5}
    found, one = StructureFactor(Q, 5.5, pairs), StructureFactor(Q, 5.5, {("Ar", "Ar"): 1.0})
    assert found.value(uniform(mixed), found.of_frames(mixed)).numpy() == pytest.approx(
        one.value(uniform(alike), one.of_frames(alike)).numpy(), abs=1e-9
    )


def test_angles_of_crystals() -> None:
    """fcc: 24 of 66 angles are 60 degrees, 12 are 90, 24 are 120, 6 are 180. Rock salt: 12 of 15 are 90."""
    fcc = stored_frames([bulk("Al", "fcc", a=4.05, cubic=True).repeat(2)])
    angles = AngleDistribution(3.4, bins=36)
    share = angles.value(uniform(fcc), angles.of_frames(fcc)) * angles.width
    near = [
        # a bin on either side, as the angles are on the edges
        float(share[[k for k in range(36) if abs(5.0 * (k + 0.5) - angle) < 3.0]].sum())
        for angle in (60.0, 90.0, 120.0, 180.0)
    ]
    assert near == pytest.approx([24 / 66, 12 / 66, 24 / 66, 6 / 66], rel=1e-12)
    salt = stored_frames([bulk("NaCl", "rocksalt", a=5.6, cubic=True)])
    unlike = AngleDistribution(3.0, 18, (11, 17, 17))
    share = unlike.value(uniform(salt), unlike.of_frames(salt)) * unlike.width
    assert float(share[8:10].sum()) == pytest.approx(12 / 15)
    assert float(share[17]) == pytest.approx(3 / 15)
    (counts,) = unlike.of_frames(salt).values()
    assert counts.sum() == 4 * 15
    # six chlorine and twelve sodium neighbours
    (counts,) = AngleDistribution(4.1, 18, (11, 17, 11)).of_frames(salt).values()
    assert counts.sum() == 4 * 6 * 12


def test_cells(frames: StoredFrames) -> None:
    """Density and lattice constants of boxes that fluctuate; the error is that of the mean."""
    lattice = LatticeConstants({"a": [(0, 3.0), (1, 3.0), (2, 3.0)], "half": [(2, 6.0)]})
    values = lattice.of_frames(frames) | {"volume": frames.volumes}
    lengths = frames.cells[:, 0, 0].numpy() / 3.0
    found = lattice.value(uniform(frames), values).tolist()
    assert found == pytest.approx([lengths.mean(), lengths.mean() / 2.0], rel=1e-12)
    assert float(lattice.error(uniform(frames), values)[0]) == pytest.approx(
        lengths.std(ddof=1) / np.sqrt(12), rel=1e-9
    )
    heavy = Density(54 * 47.867)
    assert float(heavy.value(uniform(frames), values)) == pytest.approx(
        np.mean(2 * 47.867 / lengths**3) * 1660.539, rel=1e-6
    )
    with pytest.raises(UserError, match="multiples"):
        LatticeConstants({"a": [(3, 1.0)]})


@pytest.mark.parametrize("kind", ["density", "lattice", "g", "S", "angles"])
def test_gradient_against_differences(kind: str, frames: StoredFrames) -> None:
    """Through the weights, with common frames."""
    observables: dict[str, FrameObservable] = {
        "density": Density(54 * 47.867),
        "lattice": LatticeConstants({"a": [(0, 3.0)]}),
        "g": RadialDistribution(("Ti", "Ti"), R[20:]),
        "S": StructureFactor(Q, 4.5, {("Ti", "Ti"): 1.0}),
        "angles": AngleDistribution(3.9, 12),
    }
    check_gradient(observables[kind], network(), frames, TEMPERATURE)


def test_boxes_that_are_not_rectangular() -> None:
    """Pairs are counted in rectangular boxes."""
    primitive = stored_frames([bulk("Al", "fcc", a=4.05)])
    with pytest.raises(UserError, match="rectangular box"):
        RadialDistribution(("Al", "Al"), R).of_frames(primitive)
