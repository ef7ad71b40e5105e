"""What a changed tag affects, as the engines say it."""

import pytest

from tests.settings.test_plans import CASES
from votca_mlp.engines.engine import engines
from votca_mlp.inverse.changes import changed_lines
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.settings import load_settings

MD, G = "the simulations from step 003 on", "g(r) from step 003 on"


@pytest.mark.parametrize(
    ("tag", "effect"),
    [
        ("gromacs.mdrun.opts", MD),
        ("gromacs.rdf.with_errors", G),
        ("gromacs.equi_time", G),
        ("lammps.script", MD),
        ("lammps.first_frame", G),
        ("ase.timestep", MD),
        ("ase.rdf.block_length", G),
    ],
)
def test_a_changed_tag_of_an_engine(tag: str, effect: str) -> None:
    key = f"cg.inverse.{tag}"
    (line,) = changed_lines({key: ["-nt", "1"]}, {key: ["-nt", "2"]}, 3)
    assert line == f"{key} was -nt 1, is -nt 2; affects {effect}"


def test_every_engine_says_it() -> None:
    for name, engine in engines().items():
        for tag in engine.section.model_fields:
            (line,) = changed_lines({f"cg.inverse.{name}.{tag}": 1}, {f"cg.inverse.{name}.{tag}": 2}, 3)
            assert line.endswith((MD, G))


@pytest.mark.parametrize(("case", "seed"), [("al_quickstart", 1), ("al_lammps", None), ("al_gromacs", None)])
def test_the_seed_that_a_run_records(case: str, seed: int | None) -> None:
    """LAMMPS and GROMACS have theirs in their own input."""
    settings = load_settings(CASES / case / "settings.xml")
    plan = plan_of(settings)
    assert plan.states[0].md.seed == seed
    # and nothing of another engine's section among the tags
    others = [tag for tag, value in plan.origin.tags.items() if tag.startswith("cg.inverse.ase.")]
    assert bool(others) == (settings.program == "ase")
