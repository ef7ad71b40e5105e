"""Means over the production."""

from votca_mlp.engines.ase.summary import production_means


def test_too_short_has_no_error(tmp_path) -> None:
    table = tmp_path / "thermo.dat"
    row = " ".join(str(value) for value in range(11))
    table.write_text(f"# header\n{row} equilibration\n{row} production\n{row} production\n")
    means = production_means(table)
    assert means["temperature[K]"] == {"mean": 2.0, "error": None, "samples": 2}
    assert means["spread[meV/atom]"]["mean"] == 10.0


def test_pressure_of_a_model_without_stress_has_no_mean(tmp_path) -> None:
    table = tmp_path / "thermo.dat"
    table.write_text("#header\n" + "".join(f"{n} 1 300 nan 1 1 1 1 1 0 0 2\n" for n in range(3)))
    means = production_means(table)
    assert means["temperature[K]"]["mean"] == 300.0
    assert "pressure[bar]" not in means
