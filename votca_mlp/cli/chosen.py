"""What the commands on crystals take: a model by itself, or of settings.xml with the correction of a step."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from votca_mlp.cli.types import SETTINGS
from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.api.model import Model
    from votca_mlp.potentials.correction import PairCorrection

Source = Annotated[
    str,
    typer.Argument(
        help="settings.xml or its folder; or a model: builtin:al-hipnn, a file, "
        "a folder of ANI with --kind ani."
    ),
]
Element = Annotated[str, typer.Option(help="Chemical symbol.")]
Guess = Annotated[float, typer.Option(help="Lattice constant to look around, Angstrom.", min=0.5, max=50.0)]
TableFile = Annotated[
    Path | None,
    typer.Option(
        help="u(r) of the element's pairs, a table of VOTCA; of settings.xml the last simulated one."
    ),
]
Step = Annotated[int | None, typer.Option(help="Of settings.xml: the u(r) that this step simulated with.")]
State = Annotated[str, typer.Option(help="Of settings.xml: one of several states.")]
Kind = Annotated[
    str | None, typer.Option(help="Kind of a model that is named by itself; hippynn by default.")
]
Level = Annotated[
    str | None,
    typer.Option(help="Level of theory of a model with several; of settings.xml instead of its <level>."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@dataclass(frozen=True)
class Chosen:
    """What a command was asked to look at."""

    source: str
    element: str
    table: Path | None = None
    step: int | None = None
    state: str = ""
    kind: str | None = None
    level: str | None = None

    def potentials(self, dtype: str | None = None) -> "Iterator[tuple[str, Model, PairCorrection | None]]":
        """Yield ``model`` and, where there is a correction, ``corrected``.

        Parameters
        ----------
        dtype
            Of the model; None: that of settings.xml, or float32.

        Raises
        ------
        UserError
            No such model, step or state; settings.xml that is not accepted.
        """
        from votca_mlp.api.model import Model
        from votca_mlp.potentials.correction import read_correction

        species = (self.element, self.element)
        correction = None if self.table is None else read_correction({species: self.table})
        settings = self._settings()
        if settings is None:
            if self.step is not None or self.state:
                raise UserError(
                    "a model has no steps and no states", where="--step, --state", accepted="settings.xml"
                )
            model = self._by_itself(dtype or "float32")
        else:
            from votca_mlp.cli.check import checked_settings
            from votca_mlp.inverse.from_settings import plan_of
            from votca_mlp.inverse.model import with_threads
            from votca_mlp.inverse.potentials import current_correction
            from votca_mlp.models.kind import model_kinds
            from votca_mlp.runs.environment import whole_number

            if self.kind is not None:
                raise UserError(
                    "settings.xml says the kind of its model",
                    where="--kind",
                    accepted="with a model that is named by itself",
                )
            plan = plan_of(checked_settings(settings))
            if self.level is not None and "level" not in model_kinds()[plan.model.kind].uses:
                raise UserError(
                    f"a model of kind {plan.model.kind} has no levels",
                    where="--level",
                    accepted="kind hippynn",
                )
            changed = {"dtype": dtype, "level": self.level}
            changed = {name: value for name, value in changed.items() if value is not None}
            options = with_threads(plan.model, whole_number("CSG_NUM_THREADS"))
            model = Model(options.model_copy(update=changed), plan.directory)
            folder = None if correction is not None else _folder(plan, self.step, self.state)
            if folder is not None:
                pairs = [pair.grid for pair in plan.pairs if (folder / f"{pair.name}.pot.cur").is_file()]
                correction = current_correction(pairs, folder)
        yield "model", model, None
        if correction is not None:
            yield "corrected", model, correction

    def _settings(self) -> Path | None:
        """Return the settings file that the source is, or has in it; None for a model by itself."""
        path = Path(self.source)
        if path.suffix == ".xml":
            return path
        return path / SETTINGS if self.kind is None and (path / SETTINGS).is_file() else None

    def _by_itself(self, dtype: str) -> "Model":
        """Return a model without a settings.xml, of which its errors do not speak."""
        from votca_mlp.api.model import load_model

        try:
            model = load_model(self.source, kind=self.kind or "hippynn", dtype=dtype, level=self.level)
            _ = model.loaded
        except UserError as error:
            folder = self.kind is None and Path(self.source).is_dir()
            other = "; of another kind with --kind, such as ani" if folder else ""
            where = error.where
            if where == "load_model":
                where = self.source
            if where is not None and where.startswith("cg.inverse.mlp."):
                where = {"kind": "--kind", "level": "--level"}.get(where.rpartition(".")[2], self.source)
            raise UserError(error.what, where=where, accepted=f"{error.accepted or ''}{other}") from None
        return model


def _folder(plan: Any, step: int | None, state: str) -> Path | None:
    """Return the folder of the step whose u(r) is wanted, None where the run has no g(r) yet."""
    from votca_mlp.runs.reading import step_directories

    states = [known.name for known in plan.states]
    if state not in states:
        known = " or ".join(filter(None, states))
        if not state:
            raise UserError("the run has several states", where="--state", accepted=known)
        raise UserError(
            f"no state '{state}'", where="--state", accepted=known or "none: the run has one state"
        )
    name = plan.pairs[0].name
    done = [
        number
        for number, path in step_directories(plan.directory)
        if (path / state / f"{name}.dist.new").is_file() and (path / state / f"{name}.pot.cur").is_file()
    ]
    if step is None:
        return plan.step_directory(done[-1]) / state if done else None
    if step not in done:
        known = ", ".join(map(str, done)) or "none yet"
        raise UserError(f"step {step} has no g(r)", where="--step", accepted=f"a finished step: {known}")
    folder: Path = plan.step_directory(step) / state
    return folder
