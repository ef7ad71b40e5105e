"""The registry of engines, and an engine of another package: one file and one entry point, both loops."""

from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import VOTCA_MLP, edit, make_case, start_program
from tests.inverse.case import LOOP_FILES, ours, same_tables
from tests.toys import install
from votca_mlp.csg.scriptpath import rows_of
from votca_mlp.engines.engine import SCRIPTS, engines
from votca_mlp.engines.registry import BUILTIN, engine_names
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY
from votca_mlp.tables import read_table

TOY = '''
"""Overdamped Langevin dynamics at constant volume: each step a force and a random number."""

import os

import numpy as np

from votca_mlp.engines.engine import Engine
from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.shared.result import StepResult, write_summary
from votca_mlp.engines.shared.start import checked_start
from votca_mlp.engines.ase.trajectory import dump_frame
from votca_mlp.fields import FileName, setting
from votca_mlp.units import KB_EV_PER_K


class ToySettings(EngineSettings):
    """cg.inverse.toy: an engine of another package."""

    topol: str = setting("topol.xml", meaning="Topology for csg_stat.")
    conf: str = setting("conf.extxyz", meaning="Start configuration.")
    traj: FileName = setting("traj.dump", meaning="Trajectory.")
    conf_out: FileName = setting("confout.extxyz", meaning="Last configuration.")
    seed: int = setting(1, ge=0, meaning="Of the random numbers.")
    moves: int = setting(40, gt=0, meaning="Steps.")
    mobility: float = setting(0.02, gt=0, unit="Angstrom^2/eV", meaning="Of a step.")


class Toy(Engine):
    section = ToySettings

    def run_step(self, plan, evaluator, *, step_directory, step_number, progress, **other):
        atoms, options = checked_start(plan, step_directory).atoms, plan.options
        random = np.random.default_rng([plan.seed, step_number])
        noise = np.sqrt(2 * options.mobility * KB_EV_PER_K * plan.temperature)
        part = step_directory / "toy.part"
        with part.open("w") as file:
            for move in range(1, options.moves + 1):
                atoms.positions += options.mobility * evaluator.evaluate(atoms).forces
                atoms.positions += noise * random.standard_normal((len(atoms), 3))
                if move % 10 == 0:
                    edges = atoms.cell.lengths()
                    file.write(dump_frame(move, 0.0, list(atoms.symbols), atoms.positions, edges))
        atoms.write(step_directory / plan.conf_out)
        summary = {"frames": options.moves // 10, "seed": plan.seed}
        write_summary(step_directory, summary)
        os.replace(part, step_directory / plan.traj)
        return StepResult("finished", options.moves, options.moves, 0.0, summary)

    def checkpoint(self, plan):
        return "none"

    def problems(self, options, r_max):
        if options.moves < 10:
            yield "moves", f"is {options.moves}: no frame", "at least 10"

    def described(self, plan, held):
        return f"{plan.options.moves} moves at {held}"


ENGINE = Toy()
'''
SECTION = "<toy><mobility>0.01</mobility><limits><distance_min>1</distance_min></limits></toy>"
POINT = ("votca_mlp.engines", "toy = toy_engine:ENGINE")
NAMES = ("Ar-Ar", "Ar-Kr", "Kr-Kr")


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """Return a PYTHONPATH with the engine's package."""
    return install(tmp_path / "site", {"toy_engine.py": TOY}, dict([POINT]))


def toy_case(directory: Path, iterations: int = 2) -> Path:
    """Return a short run of a mixture with the engine toy in the place of ase."""
    main = make_case(directory, ("Ar", "Kr"), iterations=iterations)
    path = main / "settings.xml"
    text = path.read_text()
    begin, end = text.index("<ase>"), text.index("</ase>") + len("</ase>")
    text = text[:begin] + SECTION + text[end:]
    path.write_text(text.replace("<program>ase<", "<program>toy<"))
    return main


def check_run(main: Path, iterations: int = 2) -> None:
    """Look at the tables: updated where the toy went."""
    for number in range(1, iterations + 1):
        step = main / f"step_{number:03d}"
        assert (step / "traj.dump").read_text().count("TIMESTEP") == 4
        for name in NAMES:
            assert np.abs(read_table(step / f"{name}.dpot.pure_ibi").y).max() > 0


def test_a_toy_in_our_loop(tmp_path: Path, installed: str) -> None:
    """The settings know its section and its checks, and `check` says what it will do."""
    main, path = toy_case(tmp_path / "main"), {"PYTHONPATH": installed}
    output, _ = start_program(main, VOTCA_MLP, "check", **path).communicate(timeout=60)
    assert "engine       toy, 40 moves at 120" in output
    status, output = ours(main, **path)
    assert status == 0, output
    check_run(main)
    edit(main / "settings.xml", {"<mobility>0.01": "<mobility>0.02"})
    (main / "done").unlink()
    status, output = ours(main, **path)
    assert status == 0, output
    assert "CHANGED since step 002: cg.inverse.toy.mobility was 0.01, is 0.02; affects the sim" in output
    edit(main / "settings.xml", {"<mobility>0.02": "<moves>4</moves><mobility>0.02"})
    status, output = ours(main, **path)
    assert status == 1
    assert "<cg.inverse.toy.moves> is 4: no frame; accepted: at least 10" in output


def test_a_toy_in_csg_inverse(engine_and_rule: tuple[Path, Path]) -> None:
    """The same tables as in our loop."""
    for main in engine_and_rule:
        check_run(main, 1)
    same_tables(*(main / "step_001" for main in engine_and_rule), NAMES, LOOP_FILES)


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    main = toy_case(tmp_path / "main")
    status, output = ours(main)
    assert status == 1
    assert f"<cg.inverse.program> is 'toy'; accepted: {' | '.join(engine_names())}" in output


def test_the_static_csg_table_is_what_the_registry_says() -> None:
    lines = (SCRIPT_DIRECTORY / "csg_table").read_text().splitlines()
    rows = [tuple(line.split()) for line in lines if line and not line.startswith("#")]
    for name in BUILTIN:
        said = {tuple(line.split()) for line in rows_of(name).splitlines()}
        assert {row for row in rows if row[1] == name} == said
        assert set(engines()[name].scripts) >= {"functions", "run", "rdf", "clean"}


def test_a_csg_table_for_others_is_written_once(tmp_path: Path, installed: str) -> None:
    cache = tmp_path / "cache"
    variables = {"PYTHONPATH": installed, "XDG_CACHE_HOME": str(cache)}
    for _ in range(2):
        output, _ = start_program(tmp_path, VOTCA_MLP, "scriptpath", **variables).communicate(timeout=60)
        folder = Path(output.strip())
        assert [path.parent for path in cache.rglob("csg_table")] == [folder]
        assert len(list((cache / "votca-mlp").iterdir())) == 1
    table = (folder / "csg_table").read_text()
    assert table == (SCRIPT_DIRECTORY / "csg_table").read_text() + "".join(
        f"{task} toy {script}\n" for task, script in SCRIPTS.items()
    )
    assert {path.name for path in folder.iterdir()} == {path.name for path in SCRIPT_DIRECTORY.iterdir()}
    assert all(path.resolve().is_file() for path in folder.iterdir())
