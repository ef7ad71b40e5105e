"""Numbers and commands in the input of other programs: what would end in a traceback is one message."""

from pathlib import Path

import pytest

from votca_mlp.cli.predict import _numbers
from votca_mlp.engines.gromacs.mdp import read_mdp
from votca_mlp.engines.gromacs.options import GromacsSettings, GromppSettings, MdrunSettings
from votca_mlp.engines.lammps.options import LammpsSettings
from votca_mlp.engines.lammps.plan import plan_script
from votca_mlp.engines.lammps.script import read_script
from votca_mlp.errors import UserError
from votca_mlp.plain import number_of, plain_file_name, whole_number_of
from votca_mlp.runs.environment import whole_number

SCRIPT = """units metal
read_data conf.data
fix 1 all nvt temp 120 120 0.2
dump traj all custom {every} traj.dump id type element x y z
run {steps}
"""
NO_STEPS = ("0", "-1", "1.5", "1e3", "nan", "\u0663", "\u00b2", "1_0", "9" * 5000, "9" * 30, "")


def test_numbers_as_votca_reads_them() -> None:
    assert [number_of(text) for text in ("1", "-2.5e-3", " 4 ", ".5")] == [1.0, -0.0025, 4.0, 0.5]
    assert [whole_number_of(text) for text in ("0", " 12 ", "007")] == [0, 12, 7]
    for text in ("1_0", "\u0663", "1,5", "1d3", "", "x"):
        with pytest.raises(ValueError, match=r".*"):
            number_of(text)
    for text in NO_STEPS[1:]:
        with pytest.raises(ValueError, match="is not a whole number"):
            whole_number_of(text)


@pytest.mark.parametrize(
    "name", ["a b", "-rf", "*", "a/b", "..", ".", "", "a\n", "x" * 201, "$(ls)", ".lock"]
)
def test_names_that_scripts_stumble_over(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        plain_file_name(name)


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-1e99", "1_0", "\u0663", "1,5"])
@pytest.mark.parametrize("name", ["nsteps", "dt", "nstenergy", "ref-t"])
def test_parameters_of_grompp(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / "grompp.mdp"
    path.write_text(f"{name} = {text} ; a comment\n")
    with pytest.raises(UserError, match=f"{name} is '{text}'"):
        read_mdp(path).number(name, 0.0)


@pytest.mark.parametrize("number", NO_STEPS)
@pytest.mark.parametrize("tag", ["steps", "every"])
def test_steps_of_a_script(tmp_path: Path, tag: str, number: str) -> None:
    path = tmp_path / "in.lmp"
    path.write_text(SCRIPT.format(**{"steps": "20", "every": "10", tag: number}))
    with pytest.raises(UserError, match=rf"in.lmp(:{5 if tag == 'steps' else 4})?: "):
        plan_script(read_script(path), path=path, traj="traj.dump")


@pytest.mark.parametrize("text", NO_STEPS[:-1])
def test_numbers_of_the_environment(text: str) -> None:
    with pytest.raises(UserError, match="environment variable CSG_MDRUN_STEPS: CSG_MDRUN_STEPS is"):
        whole_number("CSG_MDRUN_STEPS", {"CSG_MDRUN_STEPS": text})


def test_steps_of_predict() -> None:
    assert _numbers("2-4,7") == [2, 3, 4, 7]
    for text in ("1-999999999999", "\u00b2", "3-", "9" * 5000):
        with pytest.raises(UserError, match="accepted: such as 2-5"):
            _numbers(text)


@pytest.mark.parametrize("command", ["'gmx", " ", '"a" "'])
def test_commands(command: str) -> None:
    for make in (
        lambda: LammpsSettings(script="in", command=command),
        lambda: LammpsSettings(script="in", python=command),
        lambda: GromppSettings(bin=command),
        lambda: GromacsSettings(mdrun=MdrunSettings(command=command)),
    ):
        with pytest.raises(ValueError, match=r"No closing quotation|no word in it"):
            make()
