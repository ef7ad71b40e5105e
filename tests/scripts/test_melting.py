"""The Lennard-Jones crystal whose melting is known: its potential, and ours with the correction to it."""

import melting
import numpy as np
import torch

from votca_mlp.models.lennard_jones import lennard_jones_mixture


def test_broughton_gilmer() -> None:
    # value and slope beside both ends of the smooth part: one formula's points, and the other's
    sides = np.array([2.3 - 2e-6, 2.3 + 2e-6, 2.5 - 2e-6])[:, None] + np.array([-1e-6, 1e-6])
    values = melting.broughton_gilmer(sides)
    inner, outer, last = np.diff(values)[:, 0] / 2e-6
    assert abs(inner - outer) < 2e-5
    assert abs(last) < 2e-5
    np.testing.assert_allclose(values.mean(axis=1)[1:], [values[0].mean() + 4e-6 * inner, 0.0], atol=1e-8)
    r = np.linspace(0.85, 2.6, 300)
    kinds = torch.zeros(len(r), dtype=torch.long)
    ours = lennard_jones_mixture({"Ar": [melting.EPSILON, melting.SIGMA]}, 2.5 * melting.SIGMA)
    energy, _ = ours.pair_energies(kinds, kinds, torch.as_tensor(r * melting.SIGMA))
    argon = np.full(len(r), 18)
    added, _ = melting.towards_broughton_gilmer().pair_energies(argon, argon, r * melting.SIGMA)
    np.testing.assert_allclose(
        (energy.numpy() + added) / melting.EPSILON, melting.broughton_gilmer(r), atol=1e-6, rtol=1e-7
    )
