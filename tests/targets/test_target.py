"""One target from tables and from arrays, in Angstrom, and back as VOTCA's table."""

from pathlib import Path

import numpy as np
import pytest

from votca_mlp.tables import Table, read_table, write_table
from votca_mlp.targets.target import Target, rdf_target, read_target, write_target


def test_from_a_table_and_back(tmp_path: Path) -> None:
    flags = np.array(["o", "i", "i"])
    table = Table(np.array([0.0, 0.25, 0.5]), np.array([0.0, 2.5, 1.0]), flags, np.array([0.0, 0.1, 0.02]))
    write_table(tmp_path / "Al-Al.dist.tgt", table)
    target = read_target(tmp_path / "Al-Al.dist.tgt", ("Al", "Al"), weight=2.0)
    assert (target.observable, target.species, target.weight) == ("rdf", ("Al", "Al"), 2.0)
    assert target.x == pytest.approx([0.0, 2.5, 5.0])
    assert target.errors == pytest.approx([0.0, 0.1, 0.02])
    assert target.source == str(tmp_path / "Al-Al.dist.tgt")
    write_target(tmp_path / "again", target)
    again = read_table(tmp_path / "again")
    assert (again.x == table.x).all()
    assert (again.y == table.y).all()
    assert (again.flags == flags).all()


def test_from_arrays() -> None:
    target = rdf_target(("Ar", "Kr"), np.array([3.0, 3.1]), np.array([0.5, 1.5]))
    assert target.errors is None
    assert (target.flags == "i").all()
    assert target.table.x == pytest.approx([0.3, 0.31])


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        Target("rdf", ("Al", "Al"), np.arange(3.0), np.arange(4.0))
