"""Compile the kernels of molecular dynamics once, before the tests: ``python -m tests.warm``.

It takes a minute of processor time, which the processes of the suite, and those that they start, would each
spend at the same time; numba keeps what is compiled beside the sources. scripts/test does it beside linters.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Run a few steps of each kind of model, at constant pressure and volume, with a correction."""
    import numpy as np
    from ase.build import bulk

    import votca_mlp as vm
    from tests.models.ani.neurochem_files import write_model
    from votca_mlp.models.lennard_jones import lennard_jones_mixture

    os.environ["CSG_MDRUN_STEPS"] = "10"
    atoms = bulk("Al", "fcc", 4.2, cubic=True).repeat(3)
    r = np.arange(0.0, 6.0, 0.05)
    target = vm.rdf_target(("Al", "Al"), r, (r > 2.5).astype(float))
    with tempfile.TemporaryDirectory() as name:
        write_model(Path(name), ("Al",))
        models = [vm.load_model("builtin:al-hipnn"), vm.load_model(name, kind="ani")]
        models.append(vm.load_model(lennard_jones_mixture({"Al": (0.01, 2.6)}, 6.0), name="lj"))
        for model in models:
            for ensemble in ("npt", "nvt"):
                plan = vm.MDPlan(
                    temperature=300, ensemble=ensemble, timestep=2, production=100, sample_every=4, seed=1
                )
                vm.correct(model, target, atoms, plan, iterations=2)


if __name__ == "__main__":
    main()
