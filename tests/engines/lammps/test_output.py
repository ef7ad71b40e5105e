"""thermo.dat of a run that LAMMPS went on with several times."""

from pathlib import Path

from votca_mlp.engines.lammps.output import keep_one_header, thermo_command
from votca_mlp.engines.shared.result import THERMO

TITLE = "#step time[fs] temperature[K]\n"
ROWS = ["10 40.0 119.5\n", "20 80.0 120.5\n", "30 120.0 121.5\n"]


def test_one_header_is_kept(tmp_path: Path) -> None:
    path = tmp_path / THERMO
    path.write_text("".join([TITLE, ROWS[0], TITLE, TITLE, *ROWS[1:], TITLE]))
    keep_one_header(path)
    assert path.read_text() == "".join([TITLE, *ROWS])


def test_what_has_one_header_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / THERMO
    path.write_text("".join([TITLE, *ROWS]))
    before = path.stat()
    keep_one_header(path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    path.unlink()
    keep_one_header(path)
    assert not path.exists()


def test_lammps_is_asked_for_such_a_title() -> None:
    """It writes the title at each continuation, as the file is appended to."""
    command = thermo_command(25)
    assert f"append {THERMO}" in command
    assert 'title "#step time[fs] temperature[K] ' in command
