"""The step of a run that is exported: its tables and its last configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.potentials.correction import PairCorrection, read_correction
from votca_mlp.runs.reading import step_directories

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.settings import Settings

_ACCEPTED = "the main directory of a run or its settings.xml"


@dataclass(frozen=True)
class FinishedStep:
    """A step of a run that has its g(r), so that its u(r) can be taken.

    Attributes
    ----------
    settings
        Of the run.
    step
        Its number: the u(r) that this step simulated with, so that the step's g(r) belongs to it.
    directory
        ``step_NNN``.
    tables
        ``NAME.pot.cur`` by name of the interaction.
    """

    settings: "Settings"
    step: int
    directory: Path
    tables: Mapping[str, Path]

    @property
    def by_symbols(self) -> dict[tuple[str, str], Path]:
        """The tables by pair of chemical symbols."""
        return {(i.type1, i.type2): self.tables[i.name] for i in self.settings.interactions}

    def correction(self) -> PairCorrection:
        """Return the step's u(r).

        Raises
        ------
        UserError
            A step that simulated the model alone, a bad table.
        """
        correction = read_correction(self.by_symbols)
        if not any(spline.coefficients.any() for spline in correction.pairs.values()):
            raise UserError(
                f"step {self.step} simulated the model alone: its u(r) is zero",
                where=self.directory,
                accepted="a later step, once it has finished",
            )
        return correction


def find_step(path: str | Path, step: int | None = None) -> FinishedStep:
    """Return a step of the run at ``path`` (main directory or settings file); the last finished by default.

    Raises
    ------
    UserError
        No run, no such step, a step whose g(r) is not known yet.
    """
    from votca_mlp.settings import load_settings

    path = Path(path)
    file = path / "settings.xml" if path.is_dir() else path
    if not file.is_file():
        raise UserError("no such settings file", where=file, accepted=_ACCEPTED)
    settings = load_settings(file)
    terms = settings.multistate.temperature_terms
    if settings.multistate.enabled and terms > 1:
        raise UserError(
            f"the run's correction is a u(r; T) of {terms} terms",
            where=file,
            accepted=f"{settings.main_directory / 'u_of_T.yaml'}, which the run writes",
        )
    finished = {
        number: directory
        for number, directory in step_directories(settings.main_directory)
        if number > 0 and _finished(settings, directory)
    }
    if not finished:
        raise UserError(
            "no step has finished yet", where=settings.main_directory, accepted="a run with a finished step"
        )
    if step is None:
        step = max(finished)
    if step not in finished:
        known = ", ".join(map(str, finished))
        raise UserError(f"there is no finished step {step}", where="--step", accepted=known)
    tables = {i.name: finished[step] / f"{i.name}.pot.cur" for i in settings.interactions}
    return FinishedStep(settings, step, finished[step], tables)


def _finished(settings: "Settings", step: Path) -> bool:
    """Return whether u(r) and the g(r) that it gave are there, in every state."""
    from votca_mlp.settings.states import states_of

    # a state has the interactions of its own types only
    states = states_of(settings) if settings.multistate.enabled else ()
    each = [(step / state.name, state.settings.interactions) for state in states]
    return all((step / f"{i.name}.pot.cur").is_file() for i in settings.interactions) and all(
        (folder / f"{i.name}.dist.new").is_file()
        for folder, interactions in each or [(step, settings.interactions)]
        for i in interactions
    )


def last_configuration(found: FinishedStep) -> Path | None:
    """Return the file of the step's last configuration (of its first state), or None when it is gone."""
    settings = found.settings
    states = settings.multistate
    folders = [found.directory / name for name in states.state_names] if states.enabled else []
    files = [folder / settings.engine.conf_out for folder in [found.directory, *folders]]
    return next((file for file in files if file.is_file()), None)


def reference_configuration(found: FinishedStep) -> "Atoms":
    """Return the step's last configuration (else the start, else the crystal), rattled by 0.05 Angstrom.

    Raises
    ------
    UserError
        No configuration, or one that cannot be read.
    """
    from votca_mlp.engines.shared.start import load_start, read_configuration
    from votca_mlp.settings.plans import md_plan

    last = last_configuration(found)
    if last is not None:
        atoms = read_configuration(last)
    else:
        atoms = load_start(md_plan(found.settings), found.directory).atoms
    atoms.rattle(0.05, seed=1)
    return atoms
