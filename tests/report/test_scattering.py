"""The picture of F(Q), from the files that a step keeps."""

from pathlib import Path

import numpy as np
import pytest

from votca_mlp.cli.plot import plot
from votca_mlp.tables import make_table, write_table


def step(main: Path, number: int, offset: float) -> None:
    folder = main / f"step_{number:03d}"
    folder.mkdir(parents=True)
    q = np.linspace(0.5, 15.0, 60)
    rows = np.stack([q, np.sin(q) / q, np.full(60, 0.01), np.sin(q) / q + offset, np.full(60, 0.002)], axis=1)
    np.savetxt(folder / "set0.fq", rows)
    r = np.linspace(0.0, 1.0, 51)
    write_table(folder / "Ar-Ar.dist.band", make_table(r, np.ones(51), yerr=np.full(51, 0.05)))


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    step(tmp_path, 1, 0.05)
    step(tmp_path, 2, 0.0)
    picture = tmp_path / "f.svg"
    plot(tmp_path, picture, scattering=True, state="")
    # letters are paths: what was drawn is counted
    assert picture.read_text().count('<g id="axes_') == 3


def test_a_run_without(tmp_path: Path) -> None:
    (tmp_path / "step_001").mkdir()
    from votca_mlp.errors import UserError
    from votca_mlp.report.scattering import plot_scattering

    with pytest.raises(UserError, match=r"no step has F\(Q\)"):
        plot_scattering(tmp_path)
