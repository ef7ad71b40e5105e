"""The dump reader: what was written comes back; anything broken is named by line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trajectories.written import jostled_crystal, write_dump
from votca_mlp.errors import UserError
from votca_mlp.trajectories.dump import read_dump
from votca_mlp.trajectories.frames import frame_from_atoms


@pytest.fixture
def dump(tmp_path):
    frames = jostled_crystal(np.random.default_rng(2), (2, 2, 2), 3, ("Al", "Cu"))
    write_dump(tmp_path / "traj.dump", frames)
    return tmp_path / "traj.dump", frames


def test_round_trip(dump):
    path, frames = dump
    back = list(read_dump(path, names={"1": "Al", "2": "Cu"}))
    assert [frame.step for frame in back] == [0, 100, 200]
    for ours, theirs in zip(back, frames, strict=True):
        np.testing.assert_array_equal(ours.types, theirs.types)
        np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-12)
        np.testing.assert_allclose(ours.box, theirs.box, atol=1e-12)


def test_reads_what_ase_reads(dump):
    io = pytest.importorskip("ase.io")
    path, _ = dump
    for ours, theirs in zip(read_dump(path), io.read(path, ":", format="lammps-dump-text"), strict=True):
        np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-9)
        np.testing.assert_allclose(ours.box, theirs.cell.lengths(), atol=1e-9)
        assert frame_from_atoms(theirs).volume == pytest.approx(ours.volume)


def test_elements_come_before_type_numbers(tmp_path):
    path = tmp_path / "t.dump"
    head = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
    path.write_text(head + "ITEM: ATOMS id type element x y z\n1 2 Cu 0 0 0\n2 1 Al 1 2 3\n")
    (frame,) = read_dump(path)
    assert frame.types.tolist() == ["Cu", "Al"]


def test_reads_what_the_ase_engine_writes(dump, tmp_path):
    from votca_mlp.engines.ase.trajectory import dump_frame

    _, frames = dump
    text = "".join(dump_frame(f.step, 0.0, f.types.tolist(), f.positions, f.box) for f in frames)
    (tmp_path / "engine.dump").write_text(text)
    for ours, theirs in zip(read_dump(tmp_path / "engine.dump"), frames, strict=True):
        np.testing.assert_array_equal(ours.types, theirs.types)
        np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-6)
        np.testing.assert_allclose(ours.box, theirs.box, atol=1e-9)


def test_columns_in_any_order_and_atoms_by_id(tmp_path):
    path = tmp_path / "t.dump"
    head = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n1 11\n0 20\n0 5\n"
    path.write_text(head + "ITEM: ATOMS zs type xs id ys vx\n0.5 Cu 0.1 2 0.25 0\n0.2 Al 0.0 1 0.5 0\n")
    (frame,) = read_dump(path)
    assert frame.types.tolist() == ["Al", "Cu"]
    np.testing.assert_allclose(frame.positions, [[1, 10, 1], [2, 5, 2.5]])


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=1, max_value=2000))
def test_a_file_cut_anywhere_is_refused_or_ends_at_a_frame(tmp_path_factory, cut):
    directory = tmp_path_factory.mktemp("cut")
    write_dump(directory / "full", jostled_crystal(np.random.default_rng(2), (1, 2, 2), 3))
    text = (directory / "full").read_text()
    kept = text[: max(0, len(text) - cut)]
    (directory / "cut").write_text(kept)
    frame_ends = {0, *(i for i in range(1, len(text)) if text.startswith("ITEM: TIMESTEP", i)), len(text)}
    if len(kept) in frame_ends and kept:
        assert len(list(read_dump(directory / "cut"))) == kept.count("TIMESTEP")
    else:
        with pytest.raises(UserError):
            list(read_dump(directory / "cut"))


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("\n2 2 ", "\n2 2 x", 11, "not a number"),
        ("\n3 1 ", "\n3 1 nan ", 12, "6 columns instead of 5"),
        ("\n4 2 ", "\n4 2 0.1\n4 2", 13, "3 columns instead of 5"),
        ("\n5 1 ", "\n4 1 ", 10, "same id"),
        ("pp pp pp", "xy xz yz pp pp pp", 6, "should be 3 numbers"),
        ("ITEM: TIMESTEP", "TIMESTEP", 1, "begins no item"),
        ("id type x", "id kind x", 9, "neither element nor type"),
        ("type x y z", "type a b c", 9, "no columns x y z"),
        ("OF ATOMS\n32", "OF ATOMS\nmany", 4, "not a number"),
        ("pp\n0 ", "pp\n99 ", 8, "no volume"),
    ],
)
def test_errors_name_the_line(dump, old, new, line, what):
    path, _ = dump
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=what) as error:
        list(read_dump(path))
    if "\n4 2 0.1" not in new:
        assert f"traj.dump:{line}:" in str(error.value)


def test_missing_and_empty(tmp_path):
    with pytest.raises(UserError, match="cannot read the trajectory"):
        list(read_dump(tmp_path / "none.dump"))
    (tmp_path / "empty").write_text("")
    with pytest.raises(UserError, match="no frames"):
        list(read_dump(tmp_path / "empty"))
