"""An observable of another package: one file, measured in every step of both loops."""

from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import csg_call, make_case, needs_votca
from tests.toys import install
from votca_mlp.engines.ase.trajectory import dump_frame
from votca_mlp.inverse.tables.printing import VOTCA_DIGITS, as_printed
from votca_mlp.observables.store import read_observables
from votca_mlp.tables import read_table

TOY = '''
"""Mean distance of the atoms from the first one, unfolded, Angstrom."""

import numpy as np

from votca_mlp.observables.protocol import Observable


def spread(frame, recorded):
    return float(np.linalg.norm(frame.positions - frame.positions[0], axis=1).mean())


OBSERVABLE = Observable(unit="A", meaning="Mean distance from the first atom.", per_frame=spread)
'''
POINT = ("votca_mlp.observables", "spread = toy_observable:OBSERVABLE")


@pytest.mark.parametrize("loop", [0, 1], ids=["csg_inverse", "ours"])
def test_a_toy_is_measured_in_both_loops(loop: int, model_and_observable: tuple[Path, Path]) -> None:
    """Its values are kept in the step; so are pair histograms whose g(r) is that of dist.new."""
    main = model_and_observable[loop]
    found = read_observables(main / "step_001")
    assert found.n_frames == 10
    assert found.series["spread"].unit == "A"
    assert found.series["spread"].values.shape == (10,)
    assert 5.0 < found.series["spread"].mean() < 20.0
    g = found.histogram(("Ar", "Ar")).g(("Ar", "Ar"))
    assert np.array_equal(as_printed(g, VOTCA_DIGITS), read_table(main / "step_001/Ar-Ar.dist.new").y)
    assert len({"potential", "pressure", "density", "volume"} & set(found.series)) == 4


def test_one_that_fails_stops_csg_inverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured while csg_stat runs; its message reaches the user."""
    needs_votca()
    broken = TOY.replace("frame.positions[0]", "recorded['no such']")
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "site", {"toy_observable.py": broken}, dict([POINT])))
    case = make_case(tmp_path / "case")
    positions = np.random.default_rng(0).uniform(0.0, 17.1, (108, 3))
    frame = dump_frame(0, 0.0, ["Ar"] * 108, positions, np.full(3, 17.1))
    (case / "traj.dump").write_text(frame)
    words = ("--ia-type", "non-bonded", "--ia-name", "Ar-Ar", "rdf", "ase")
    status, output = csg_call(case, *words)
    assert status != 0
    assert "the observable spread failed: KeyError: 'no such'" in output
    (tmp_path / "site/toy_observable.py").write_text(TOY)
    status, output = csg_call(case, *words)
    assert status == 0, output
    assert read_observables(case).series["spread"].values.shape == (1,)
