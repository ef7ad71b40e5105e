"""Interactions without <target>: accepted where their g(r) is not fitted, else one message each."""

from pathlib import Path

import pytest

from tests.settings.test_scattering import ONE, case, words
from votca_mlp.cli.check import summary
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.settings import load_settings

NO_FIT = "<gauss_newton><fit>no</fit></gauss_newton>"


def without(directory: Path, *, scattering: bool = True) -> Path:
    """Return settings of Ar and Kr without any target."""
    path = case(directory, *([ONE.format(file="set0.dat", more="")] if scattering else []))
    text = path.read_text().replace("<min>0<", "<min>0.25<")
    for name in ("Ar-Ar", "Ar-Kr", "Kr-Kr"):
        text = text.replace(f"<target>{name}.dist.tgt</target>", NO_FIT)
        (path.parent / f"{name}.dist.tgt").unlink()
    path.write_text(text)
    return path


def test_all_without(tmp_path: Path) -> None:
    path = without(tmp_path / "m")
    assert words(path) == ""
    plan = plan_of(load_settings(path))
    assert [pair.target for pair in plan.pairs] == [None] * 3
    assert not plan.pairs[0].target_on_grid().known
    assert not [name for name in plan.origin.watched if name.endswith(".dist.tgt")]
    assert any(line.endswith("0.25 to 0.8 nm by 0.01 nm, no target") for line in summary(load_settings(path)))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (NO_FIT, "", "<cg.non-bonded.inverse.target> is missing; accepted: a VOTCA table r (nm), g(r), "
         "covering min to max, or <gauss_newton><fit>no</fit>"),
        ("<method>imc", "<method>ibi", "<cg.non-bonded.inverse.target> is missing; accepted: a VOTCA table"),
        ("<min>0.25<", "<min>0<", "<cg.non-bonded.min> is 0, but without a <target> u(r) begins there"),
        (NO_FIT, f"{NO_FIT}<window><q_max>9</q_max></window>", "is of a target, and the inter"),
        (NO_FIT, f"{NO_FIT}<post_add>convergence</post_add>", "names 'convergence', which compares g(r)"),
        (NO_FIT, f"{NO_FIT}<post_update>kbibi</post_update>", "names 'kbibi', which compares g(r)"),
        (
            "<mlp>",
            "<convergence_check><type>rms</type><limit>0.1</limit></convergence_check><mlp>",
            "convergence_check.type> is 'rms', which compares g(r) with targets, and there is none",
        ),
        ("<mlp>", "<imc><default_reg>1</default_reg></imc><mlp>", "fits the g(r) of all interactions"),
    ],
)  # fmt: skip
def test_one_message(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = without(tmp_path / "m")
    path.write_text(path.read_text().replace(before, after, 1))
    found = words(path)
    assert message in found
    # of one kind, whatever number of interactions it is about
    assert found.count(message) == sum("accepted" in line for line in found.splitlines())


@pytest.mark.parametrize("without_any", [True, False])
def test_nothing_to_fit(tmp_path: Path, without_any: bool) -> None:
    """Said before any MD, also where there are targets, none of which is fitted."""
    path = without(tmp_path / "m", scattering=False) if without_any else case(tmp_path / "m")
    if not without_any:
        path.write_text(path.read_text().replace("</target>", f"</target>{NO_FIT}"))
    assert "<cg.inverse> has nothing to fit" in words(path)
