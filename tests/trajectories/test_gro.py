"""The gro reader against the engine's writer, and g(r) from it against csg_stat's."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import make_case
from votca_mlp.engines.ase.trajectory import gro_frame
from votca_mlp.errors import UserError
from votca_mlp.inverse.start import run_inverse
from votca_mlp.tables import read_table
from votca_mlp.trajectories.gro import read_gro


def write_gro(path: Path) -> list[np.ndarray]:
    """Write two frames; return the positions."""
    rng = np.random.default_rng(2)
    frames = [rng.uniform(0.0, 30.0, (5, 3)) for _ in range(2)]
    edges = np.array([30.0, 31.0, 32.5])
    texts = [gro_frame(n, 10.0 * n, ["Ar", "Ar", "Kr", "Kr", "Ar"], x, edges) for n, x in enumerate(frames)]
    path.write_text("".join(texts))
    return frames


def test_reads_what_the_engine_writes(tmp_path: Path) -> None:
    wanted = write_gro(tmp_path / "traj.gro")
    found = list(read_gro(tmp_path / "traj.gro"))
    assert [frame.step for frame in found] == [0, 1]
    for frame, positions in zip(found, wanted, strict=True):
        assert frame.positions == pytest.approx(positions, abs=5.1e-5)
        assert frame.box == pytest.approx([30.0, 31.0, 32.5])
        assert list(frame.types) == ["Ar", "Ar", "Kr", "Kr", "Ar"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "cut short"),
        (lambda lines: lines[:10], "cut short"),
        (lambda lines: [*lines[:3], "x" * 44 + "\n", *lines[4:]], "not a number"),
        (lambda lines: [*lines[:3], "short\n", *lines[4:]], r"traj.gro:4: too short a line"),
        (lambda lines: [], "no frames"),
        (lambda lines: [*lines[:7], " 3 3 3 1 1 1 0 0 0\n"], "traj.gro:8: the box is tilted by 10 Ang"),
        (lambda lines: [*lines[:7], " 3 3\n"], "not three edges"),
    ],
)
def test_refusals(tmp_path: Path, change, message: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "traj.gro"
    write_gro(path)
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
    with pytest.raises(UserError, match=message):
        list(read_gro(path))


@pytest.mark.skipif(shutil.which("csg_stat") is None, reason="VOTCA is not installed")
def test_g_equals_csg_stats(tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", ase="<traj>traj.gro</traj>", production=400)
    run_inverse(main / "settings.xml")
    step = main / "step_001"
    words = ["--options", "../settings.xml", "--top", "topol.xml", "--trj", "traj.gro", "--ext", "stat"]
    subprocess.run(["csg_stat", *words], cwd=step, check=True, capture_output=True)
    ours, theirs = read_table(step / "Ar-Ar.dist.new"), read_table(step / "Ar-Ar.stat")
    assert theirs.y.max() > 1.0
    assert ours.y == pytest.approx(theirs.y, rel=1.1e-10)
