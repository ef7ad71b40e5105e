"""A format is one file and one line."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.export.runs import HIPNN, aluminium, make_run
from votca_mlp.deploy.compare import EXACT, compare, of_correction
from votca_mlp.errors import UserError
from votca_mlp.export.export import export
from votca_mlp.export.formats import FORMATS, Format
from votca_mlp.export.potential import CorrectedPotential, Written


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write the depth of u(r), which a correction cannot be made from, and compare u(r) with itself."""
    depth = min(spline.coefficients[:, 3].min() for spline in potential.correction.pairs.values())
    (folder / "depth.txt").write_text(f"{depth:.6f} eV\n")
    own = of_correction(potential.correction, potential.atoms)
    comparison = compare("depth", own, own, EXACT)
    return Written(potential.content, ("depth.txt",), (comparison,), ("the rest of u(r)",))


def test_a_toy_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = ModuleType("toy_format")
    toy.write = write  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toy_format", toy)
    monkeypatch.setitem(FORMATS, "depth", Format("toy_format"))
    mlp = HIPNN.format(model="builtin:al-hipnn", dtype="float64")
    run = make_run(tmp_path / "run", mlp, aluminium())
    done = export(run, "depth", tmp_path / "out")
    assert done.files == ("export.json", "depth.txt")
    assert (tmp_path / "out" / "depth.txt").read_text().startswith("-0.")
    content = json.loads((tmp_path / "out" / "export.json").read_text())
    assert content["export_format"] == "depth"
    assert content["left_out"] == ["the rest of u(r)"]
    assert len(content["comparisons"]) == 1
    with pytest.raises(UserError, match="format 'depth' holds one temperature"):
        export(tmp_path / "u.yaml", "depth", tmp_path / "again")


def test_every_format_has_its_module() -> None:
    for name, form in FORMATS.items():
        assert form.module == f"votca_mlp.export.formats.{name}"
