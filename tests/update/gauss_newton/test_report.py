"""gauss_newton.json: what reports of earlier versions lack, and what is said of few frames."""

import json
from pathlib import Path
from typing import Any

import pytest

from votca_mlp.errors import UserError
from votca_mlp.report.predictions import prediction_lines
from votca_mlp.update.gauss_newton.report import NAME, in_words, read_report


def report(**more: Any) -> dict[str, Any]:
    datum = {
        "points": 160,
        "without_errors": False,
        "chi2": 2.0,
        "chi2_reachable": 1.0,
        "rms": 0.02,
        "rms_predicted": 0.01,
        "cannot_be_met": [],
    }
    facts = {"amplitude_eV": 0.018, "scatter": 0.0, "share": 1.0, "chi2": 2.0, "chi2_reachable": 1.0}
    return {"all": {**facts, "data": {"Al-Al": datum}, **more}}


def written(run: Path, found: Any) -> Path:
    step = run / "step_001"
    step.mkdir(exist_ok=True)
    (step / NAME).write_text(json.dumps(found))
    return step


def test_of_earlier_versions(tmp_path: Path) -> None:
    """What can do without is read; what cannot is one line with the file's name."""
    old = report()
    del old["all"]["scatter"]
    del old["all"]["data"]["Al-Al"]["without_errors"]
    assert read_report(written(tmp_path, old)) == report()
    assert any("Al-Al: chi2 2" in line for line in prediction_lines(tmp_path))
    del old["all"]["data"]["Al-Al"]["rms_predicted"]
    with pytest.raises(UserError, match=rf"step_001/{NAME}: has no rms_predicted: it is not of this version"):
        prediction_lines(written(tmp_path, old).parent)
    with pytest.raises(UserError, match="has no data"):
        read_report(
            written(tmp_path, {"all": {"amplitude_eV": 1, "share": 1, "chi2": 1, "chi2_reachable": 1}})
        )
    with pytest.raises(UserError, match="has no groups"):
        read_report(written(tmp_path, report()["all"]))
    for damaged in ([1], "x", {"all": {**report()["all"], "data": 3}}):
        with pytest.raises(UserError, match="cannot be read"):
            read_report(written(tmp_path, damaged))


def test_few_frames_are_said() -> None:
    """Allowed: where they do not tell the functions apart the prior decides."""
    line = "  20 frames for 35 functions of u(r): where they do not tell them apart, the prior decides"
    assert line in list(in_words(report(frames=20, functions=35)))
    assert not any("functions" in text for text in in_words(report(frames=36, functions=35)))
    assert not any("functions" in text for text in in_words(report()))
