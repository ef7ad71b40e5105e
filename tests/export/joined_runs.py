"""Runs at several temperatures, made without MD, to be joined."""

from pathlib import Path

from ase import Atoms

from tests.export.runs import make_run
from votca_mlp.tables import read_table, write_table
from votca_mlp.units import kbt_kjmol

KELVINS = (943, 1023, 1323)


def make_runs(
    folder: Path,
    mlp: str,
    atoms: Atoms,
    pairs: tuple[str, ...] = ("Al-Al",),
    kelvins: tuple[int, ...] = KELVINS,
) -> dict[int, Path]:
    """Write a run a temperature whose u(r) is another at each; return their folders."""
    runs = {}
    for number, kelvin in enumerate(kelvins):
        run = runs[kelvin] = make_run(folder / f"run_{kelvin}", mlp, atoms, pairs)
        file = run / "settings.xml"
        text = file.read_text().replace("<kBT>8.50577</kBT>", f"<kBT>{kbt_kjmol(kelvin):.6f}</kBT>")
        file.write_text(text.replace("<temperature>1023", f"<temperature>{kelvin}"))
        for pair in pairs:
            table = run / "step_002" / f"{pair}.pot.cur"
            old = read_table(table)
            # bends differently at each temperature, so that a sum of tables is no spline through one
            write_table(table, old.with_y((1 + 0.3 * number) * old.y + 0.2 * number * old.y[::-1] ** 2))
    return runs
