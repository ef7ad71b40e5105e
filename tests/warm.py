"""Compile tests and the kernels of molecular dynamics once, before the tests: ``python -m tests.warm``.

It takes a minute of processor time, which the processes of the suite, and those that they start, would each
spend at the same time; pytest and numba keep what is compiled beside the sources. scripts/test does it beside
linters.
"""

import os
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Collect the tests; evaluate and move a few atoms with each kind of model."""
    # each process of the suite would rewrite the assertions of all tests as it begins, for some 12 s
    pytest.main(["--collect-only", "-q"])
    os.environ["CSG_MDRUN_STEPS"] = "10"
    networks()
    runs()


def networks() -> None:
    """Evaluate HIP-NNs with one and with three vectors of sensitivities, by both kinds of list, and ANI."""
    import torch

    from tests.models.ani.neurochem_files import write_model
    from tests.models.hipnn.test_fast import liquid, network, pairs_of
    from votca_mlp.evaluation.evaluator import PairListEvaluator
    from votca_mlp.models.ani.model import AniModel
    from votca_mlp.models.ani.neurochem import read_neurochem

    atoms, alloy = liquid(3), liquid(3)
    alloy.symbols[::2] = "Cu"
    for changes in ({}, {"n_sensitivities": 6}):
        model = network(**changes)
        for dtype in (torch.float32, torch.float64):
            PairListEvaluator(model, dtype=dtype).evaluate(atoms)
        pairs = pairs_of(model, atoms)
        _, gradient = model.energies_and_gradient(pairs.numbers, pairs.first, pairs.second, pairs.vectors)
        pairs.sums(gradient)
    PairListEvaluator(network((13, 29), n_interaction_layers=2, kind="HipnnVec")).evaluate(alloy)
    with tempfile.TemporaryDirectory() as name:
        ani = AniModel(read_neurochem(write_model(Path(name), ("Al", "Cu"))))
        PairListEvaluator(ani).evaluate(alloy)


def runs() -> None:
    """Run the inverse loop for a few steps, at constant pressure and volume."""
    import numpy as np
    from ase.build import bulk

    import votca_mlp as vm
    from tests.models.ani.neurochem_files import write_model

    atoms = bulk("Al", "fcc", 4.2, cubic=True).repeat(3)
    r = np.arange(0.0, 6.0, 0.05)
    target = vm.rdf_target(("Al", "Al"), r, (r > 2.5).astype(float))
    lj = {"species": {"Al": (0.01, 2.6)}, "cutoff": 6.0}
    with tempfile.TemporaryDirectory() as name:
        write_model(Path(name), ("Al",))
        models = [
            vm.load_model("builtin:al-hipnn"),
            vm.load_model(name, kind="ani"),
            vm.load_model("ase.calculators.emt:EMT", kind="ase"),
            vm.load_model("votca_mlp.models.lennard_jones:lennard_jones_mixture", kind="ase", arguments=lj),
        ]
        for model in models:
            for ensemble in ("npt", "nvt"):
                plan = vm.MDPlan(
                    temperature=300, ensemble=ensemble, timestep=2, production=100, sample_every=4, seed=1
                )
                vm.correct(model, target, atoms, plan, iterations=2)


if __name__ == "__main__":
    main()
