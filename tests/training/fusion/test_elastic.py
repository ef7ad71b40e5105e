"""Elastic constants: conventions against closed forms and against stress-strain, errors, symmetry."""

import numpy as np
import pytest
import torch
from ase.build import bulk

from tests.training.fusion.crystals import argon, check_gradient, network, rattled
from votca_mlp.errors import UserError
from votca_mlp.training.fusion.observables.crystals import CRYSTALS, constants_of, symmetrised
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.protocol import (
    FrameObservable,
    Values,
    measure_all,
    uniform,
)
from votca_mlp.training.fusion.observables.stress import MeanEnergy, Pressure, StressTensor, mean_stress
from votca_mlp.training.fusion.observables.voigt import tensor_of
from votca_mlp.units import KB_EV_PER_K

COLD = 1e-9  # K: nothing fluctuates


def crystal(lattice: float) -> StoredFrames:
    return stored_frames([bulk("Ar", "fcc", a=lattice, cubic=True).repeat(2)])


def lattice_sums(lattice: float, cutoff: float) -> tuple[float, ...]:
    """Return pressure, C11, C12 and C44 (Lagrange) of Lennard-Jones fcc in eV/Angstrom^3, by plain sums.

    C_ijkl = 1/(2 V_atom) sum (u'' - u'/r)/r^2 d_i d_j d_k d_l, p = -1/(6 V_atom) sum u' r.
    """
    n = int(np.ceil(2.0 * cutoff / lattice)) + 1
    grid = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    d = 0.5 * lattice * grid[(grid.sum(1) % 2 == 0) & grid.any(1)]
    r = np.linalg.norm(d, axis=1)
    d, r = d[r < cutoff], r[r < cutoff]
    epsilon, s6, volume = 0.0104, (3.4 / r) ** 6, 0.25 * lattice**3
    c6 = (3.4 / cutoff) ** 6
    slope = -24.0 * epsilon * (2.0 * s6**2 - s6) / r + 24.0 * epsilon * (2.0 * c6**2 - c6) / cutoff
    second = 24.0 * epsilon * (26.0 * s6**2 - 7.0 * s6) / r**2
    weight = (second - slope / r) / r**2 / (2.0 * volume)
    c11, c12 = (weight * d[:, 0] ** 4).sum(), (weight * d[:, 0] ** 2 * d[:, 1] ** 2).sum()
    c44 = (weight * d[:, 1] ** 2 * d[:, 2] ** 2).sum()
    return float(-(slope * r).sum() / (6.0 * volume)), float(c11), float(c12), float(c44)


@pytest.mark.parametrize("lattice", [5.1, 5.3])
def test_cold_lennard_jones_crystal(lattice: float) -> None:
    """Pressure and C11, C12 = C44 (Cauchy) against lattice sums; Hooke's are C11 - p, C12 + p, C44 - p."""
    model, frames = argon(), crystal(lattice)
    pressure, c11, c12, c44 = lattice_sums(lattice, model.cutoff)
    assert abs(pressure) > 5e-5
    assert c12 == pytest.approx(c44, rel=1e-12)
    observables = [
        ElasticConstants(COLD, 32, "cubic", "lagrange"),
        ElasticConstants(COLD, 32, "cubic"),
        Pressure(COLD, 32),
    ]
    values, weights = measure_all(model, frames, observables), uniform(frames)
    lagrange, by_hooke, bar = (observable.value(weights, values).tolist() for observable in observables)
    assert lagrange == pytest.approx([c11, c12, c44], rel=1e-9)
    assert by_hooke == pytest.approx([c11 - pressure, c12 + pressure, c44 - pressure], rel=1e-9)
    assert bar[0] == pytest.approx(1.602176634e6 * pressure, rel=1e-9)


def test_hooke_is_the_slope_of_the_stress() -> None:
    """A crystal under a stress of its own, strained by each of six strains, shears in engineering strain.

    Its atoms are off their sites and held there, on both sides. Under a stress that differs by direction the
    coefficients (I, J) and (J, I) differ by it, and their mean is compared.
    """
    model, frames, step = network(), rattled(1), 1e-6
    weights, slopes = uniform(frames), torch.zeros(6, 6, dtype=torch.float64)
    with torch.no_grad():
        values = measure(model, frames, ["virial", "born"])
        found = ElasticConstants(COLD, 8, "triclinic").matrix(weights, values)
        for element in range(6):
            stresses = []
            for sign in (1.0, -1.0):
                moved = measure(model, strained(frames, element, sign * step), ["virial"])
                stresses.append(mean_stress(weights, moved, COLD, 8))
            slopes[:, element] = (stresses[0] - stresses[1]) / (2.0 * step)
    stress = mean_stress(weights, values, COLD, 8)
    assert stress.abs().max() > 1e-3
    assert found.numpy() == pytest.approx(0.5 * (slopes + slopes.T).numpy(), abs=1e-8)


def strained(frames: StoredFrames, element: int, size: float) -> StoredFrames:
    strain = torch.zeros(6, dtype=torch.float64)
    strain[element] = size
    deformation = torch.eye(3, dtype=torch.float64) + tensor_of(strain, strain=True)
    return StoredFrames(frames.numbers, frames.positions @ deformation, frames.cells @ deformation)


@pytest.mark.parametrize("temperature", [8.0, 40.0])
def test_fluctuations_are_the_slope_of_the_mean_stress(temperature: float) -> None:
    """A canonical ensemble of given configurations, strained: the slope of its mean stress is the formula.

    The configurations in fractional coordinates stay, as the formula's derivation has it, and their weights
    are exp(-U/kB T) in every cell: Born term, covariance, kinetic part and stress all enter.
    """
    model, frames, step = network(), rattled(40, amplitude=0.05), 1e-6
    kbt, slopes = KB_EV_PER_K * temperature, torch.zeros(6, 6, dtype=torch.float64)

    def ensemble(of: StoredFrames) -> tuple[torch.Tensor, Values]:
        values = measure(model, of, ["energy", "virial", "born"])
        return torch.softmax(-values["energy"] / kbt, 0), values

    with torch.no_grad():
        weights, values = ensemble(frames)
        assert 3.0 < float(1.0 / weights.square().sum()) < 39.0
        found = ElasticConstants(temperature, 8, "triclinic").matrix(weights, values)
        for element in range(6):
            sides = [
                mean_stress(*ensemble(strained(frames, element, sign * step)), temperature, 8)
                for sign in (1.0, -1.0)
            ]
            slopes[:, element] = (sides[0] - sides[1]) / (2.0 * step)
    assert found.numpy() == pytest.approx(0.5 * (slopes + slopes.T).numpy(), abs=1e-7)


def test_symmetry_of_a_known_tensor_stays_and_noise_goes() -> None:
    """A cubic tensor is cubic, hexagonal averages keep C66 = (C11 - C12)/2, and averages average once."""
    random = torch.rand(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    random = random + random.T
    for name in CRYSTALS:
        once = symmetrised(random, name)
        assert symmetrised(once, name).numpy() == pytest.approx(once.numpy(), abs=1e-12)
    hexagonal = symmetrised(random, "hexagonal")
    assert float(hexagonal[5, 5]) == pytest.approx(float(hexagonal[0, 0] - hexagonal[0, 1]) / 2, abs=1e-12)
    assert hexagonal[0, 3:].abs().max() < 1e-12
    cubic = constants_of(random, "cubic")
    diagonal = random.diagonal()
    assert float(cubic[0]) == pytest.approx(float(diagonal[:3].mean()), abs=1e-12)
    assert float(cubic[2]) == pytest.approx(float(diagonal[3:].mean()), abs=1e-12)
    assert symmetrised(random, "triclinic").numpy() == pytest.approx(random.numpy(), abs=1e-12)
    with pytest.raises(UserError, match="wurtzite"):
        symmetrised(random, "wurtzite")


@pytest.mark.parametrize("kind", ["energy", "pressure", "stress", "elastic"])
def test_gradient_against_differences(kind: str) -> None:
    """Through the values and through weights by exp(-(U - U0)/kT), with common frames."""
    temperature, frames, model = 3000.0, rattled(12), network()
    observables: dict[str, FrameObservable] = {
        "energy": MeanEnergy(8),
        "pressure": Pressure(temperature, 8),
        "stress": StressTensor(temperature, 8),
        "elastic": ElasticConstants(temperature, 8, "hexagonal"),
    }
    check_gradient(observables[kind], model, frames, temperature)


def test_errors_are_the_scatter_of_many_samples() -> None:
    """Values by frame drawn from known distributions: the blocks' error against the scatter of the value."""
    random, frames = np.random.default_rng(3), 400
    observable = ElasticConstants(300.0, 8, "cubic", "lagrange")
    found, errors = [], []
    for _ in range(60):
        virial = torch.from_numpy(random.normal(0.0, 0.6, (frames, 6)))
        born = torch.from_numpy(random.normal(30.0, 1.0, (frames, 6, 6)))
        values = {"virial": virial, "born": born, "volume": torch.full((frames,), 140.0).double()}
        weights = torch.from_numpy(random.uniform(0.5, 1.5, frames))
        weights = weights / weights.sum()
        found.append(observable.value(weights, values).numpy())
        errors.append(observable.error(weights, values).numpy())
    scatter = np.std(found, axis=0, ddof=1)
    # the largest error of all block lengths is on the safe side
    assert np.all(np.mean(errors, axis=0) > 0.8 * scatter)
    assert np.all(np.mean(errors, axis=0) < 1.8 * scatter)


def test_frames_that_do_not_fit() -> None:
    """Cells that differ, another number of atoms, an unknown kind."""
    model, frames = argon(), stored_frames([bulk("Ar", "fcc", a=a, cubic=True) for a in (5.3, 5.4)])
    with pytest.raises(UserError, match="cells differ"):
        ElasticConstants(80.0, 4, "cubic").frame_values(model, frames)
    with pytest.raises(UserError, match="4 atoms"):
        ElasticConstants(80.0, 5, "cubic").frame_values(model, frames.take([0]))
    with pytest.raises(UserError, match="birch"):
        ElasticConstants(80.0, 4, "cubic", "birch")
