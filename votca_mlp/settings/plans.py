"""From settings to the plans that know no XML."""

from dataclasses import dataclass
from pathlib import Path

from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.settings.models import Settings
from votca_mlp.settings.topology import read_topology
from votca_mlp.units import ANGSTROM_PER_NM


@dataclass(frozen=True)
class _Tags:
    """Where a message about a plan's field points: file, line and tag."""

    settings: Settings

    def __call__(self, tag: str) -> str:
        return self.settings.where(f"cg.inverse.{tag}")


def md_plan(settings: Settings, step_directory: Path | None = None) -> MDPlan:
    """Return the MD that settings ask for; of one of several states, those of its view.

    Parameters
    ----------
    step_directory
        Where the step's copy of the topology lies, if there is one; else that of the main directory counts.

    Raises
    ------
    UserError
        A topology that is missing or cannot be read, tags that the engine cannot obey.
    """
    section, engine = settings.engine, engine_named(settings.program)
    for tag, (what, accepted) in engine.refused.items():
        name = f"cg.inverse.{settings.program}.{tag}"
        if settings.text(name) not in (None, "", "no"):
            raise UserError(what, where=settings.where(name), accepted=accepted)
    path = topology_of(settings, step_directory)
    names = (*settings.filelist, *engine.inputs(section), *((section.conf,) if section.conf else ()))
    return MDPlan.of(
        settings.program,
        section,
        temperature=settings.temperature,
        frames_needed=2 * section.rdf.block_length if section.rdf.with_errors else 1,
        start=None if section.conf is None else settings.input_path(section.conf),
        # one that is missing is reported with the other inputs, and by what needs it
        symbols=read_topology(path).types if path.is_file() else (),
        topology=path,
        r_max=max(interaction.max for interaction in settings.interactions) * ANGSTROM_PER_NM,
        files={Path(name).name: settings.input_path(name) for name in names},
        tables=tuple(f"{interaction.name}.pot.cur" for interaction in settings.interactions),
        model=settings.mlp,
        model_directory=settings.run_directory,
        directory=settings.main_directory,
        where=_Tags(settings),
    )


def topology_of(settings: Settings, step_directory: Path | None = None) -> Path:
    """Return where the topology lies that csg_stat reads."""
    name, _ = settings.topology
    copy = None if step_directory is None else step_directory / name
    return copy if copy is not None and copy.is_file() else settings.input_path(name)
