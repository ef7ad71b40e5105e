"""Tables that engines leave beside a trajectory."""

from pathlib import Path

from votca_mlp.trajectories.recorded import read_recorded


def test_columns_by_step(tmp_path: Path) -> None:
    """Header, numbers, a word; a step written twice where a run went on; a last line cut short."""
    assert read_recorded(tmp_path) == {}
    (tmp_path / "thermo.dat").write_text(
        "# step time[fs] potential[eV] stage\n100 200 -1.5 equilibration\n200 400 -1.6 production\n"
        "# step time[fs] potential[eV] stage\n200 400 -1.7 production\n300 600 -1.8 prod"
    )
    found = read_recorded(tmp_path)
    assert found == {
        100: {"time[fs]": 200.0, "potential[eV]": -1.5},
        200: {"time[fs]": 400.0, "potential[eV]": -1.7},
    }


def test_the_models_energy_beside_mdrun(tmp_path: Path) -> None:
    (tmp_path / "mlp.dat").write_text("# step time[ps] potential[eV] closest[A]\n10 0.02 -3.5 nan\n")
    (tmp_path / "thermo.dat").write_text("# step pressure[bar]\n10 1.5\n20 1.75\n")
    found = read_recorded(tmp_path)
    assert found[10]["potential[eV]"] == -3.5
    assert found[10]["pressure[bar]"] == 1.5
    assert found[20] == {"pressure[bar]": 1.75}


def test_a_value_that_is_not_known(tmp_path: Path) -> None:
    """The header as it is written now; nan is the pressure of a model without stress."""
    (tmp_path / "thermo.dat").write_text("#step time[fs] pressure[bar] stage\n10 20 nan 2\n")
    assert read_recorded(tmp_path) == {10: {"time[fs]": 20.0, "stage": 2.0}}
