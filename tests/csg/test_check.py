"""What csg_inverse cannot do with a program, or with several states, is refused before anything runs."""

from pathlib import Path

import pytest

from votca_mlp.csg.check import check_scope
from votca_mlp.errors import UserError
from votca_mlp.settings import Settings, load_settings
from votca_mlp.units import kbt_kjmol

READY = Path(__file__).parents[2] / "settings"
STATES = (
    "<multistate><enabled>yes</enabled><state_names>cold hot</state_names>"
    f"<state_kBTs>{kbt_kjmol(943.0):.6g} {kbt_kjmol(1323.0):.6g}</state_kBTs></multistate>"
)


def changed(folder: Path, case: str, *, interaction: str = "", inverse: str = "") -> Settings:
    """Return the settings of a ready case with more tags in its interaction and in cg.inverse."""
    text = (READY / case / "settings.xml").read_text()
    text = text.replace("<post_add>", interaction + "<post_add>").replace("<mlp>", inverse + "<mlp>")
    (folder / "settings.xml").write_text(text)
    return load_settings(folder / "settings.xml")


def refusal(settings: Settings) -> UserError:
    with pytest.raises(UserError) as caught:
        check_scope(settings)
    return caught.value


def test_ready_cases_are_in_scope(tmp_path: Path) -> None:
    for case in ("al_1023K", "al_lammps", "al_gromacs"):
        check_scope(changed(tmp_path, case))
    check_scope(changed(tmp_path, "al_gromacs", inverse=STATES))


def test_convergence_of_several_states(tmp_path: Path) -> None:
    options = "<post_add_options><convergence><what>pot</what></convergence></post_add_options>"
    error = refusal(changed(tmp_path, "al_gromacs", interaction=options, inverse=STATES))
    assert "is that of their g(r)" in str(error)
    assert "post_add_options.convergence.what" in str(error)
