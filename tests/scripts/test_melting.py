"""The Lennard-Jones crystal whose melting is known: its potential, and ours with the correction towards it."""

import melting
import numpy as np
import torch

from votca_mlp.models.lennard_jones import lennard_jones_mixture


def test_broughton_gilmer() -> None:
    ends = np.array([2.3 - 1e-9, 2.3 + 1e-9, 2.5 - 1e-9])
    inner, outer, last = melting.broughton_gilmer(ends)
    assert abs(inner - outer) < 1e-8
    assert abs(last) < 1e-8
    # the slope, too, is continuous at both
    slopes = np.diff(melting.broughton_gilmer(ends[:, None] + np.array([-1e-6, 1e-6]))) / 2e-6
    assert abs(slopes[0] - slopes[1]) < 1e-5
    assert abs(slopes[2]) < 1e-5
    r = np.linspace(0.85, 2.6, 300)
    kinds = torch.zeros(len(r), dtype=torch.long)
    ours = lennard_jones_mixture({"Ar": [melting.EPSILON, melting.SIGMA]}, 2.5 * melting.SIGMA)
    energy, _ = ours.pair_energies(kinds, kinds, torch.as_tensor(r * melting.SIGMA))
    argon = np.full(len(r), 18)
    added, _ = melting.towards_broughton_gilmer().pair_energies(argon, argon, r * melting.SIGMA)
    np.testing.assert_allclose(
        (energy.numpy() + added) / melting.EPSILON, melting.broughton_gilmer(r), atol=1e-6, rtol=1e-7
    )
