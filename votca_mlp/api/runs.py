"""A finished run, whoever made it, as a correction."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.api.correct import correction_of_runs
from votca_mlp.api.correction import Correction
from votca_mlp.errors import UserError
from votca_mlp.inverse.summary import NAME as SUMMARY
from votca_mlp.models.identity import potential_identity
from votca_mlp.runs.reading import read_run as read_tables

if TYPE_CHECKING:
    from votca_mlp.inverse.predict import Prediction
    from votca_mlp.tables import Table

_ACCEPTED = "the main directory of correct(), of votca-mlp inverse or of csg_inverse"


def read_run(directory: str | Path, *, state: str = "") -> Correction:
    """Return the correction of a run: the tables that its last measured step ran with.

    Parameters
    ----------
    directory
        The main directory, with ``settings.xml`` or as :func:`votca_mlp.correct` leaves it.
    state
        Name of one of several states, whose u(r) and g(r) are read.

    Raises
    ------
    UserError
        No run there, no g(r) yet, no such state; several states and none chosen.
    """
    path = Path(directory).absolute()
    if (path / "settings.xml").is_file():
        return _of_settings(path, state)
    try:
        import yaml

        said: Any = yaml.safe_load((path / SUMMARY).read_text(encoding="utf-8"))["settings"]["python"]
        species = {name: (str(pair[0]), str(pair[1])) for name, pair in said["interactions"].items()}
        temperature, pressure = float(said["md"]["temperature"]), float(said["md"]["pressure"])
        constant_pressure = said["md"]["ensemble"] == "npt"
    except (OSError, ValueError, KeyError, TypeError, IndexError, yaml.YAMLError):
        raise UserError(
            f"neither settings.xml nor a {SUMMARY} of correct()", where=path, accepted=_ACCEPTED
        ) from None
    runs = {pair: read_tables(path, name) for name, pair in species.items()}
    return correction_of_runs(
        runs, temperature, pressure if constant_pressure else None, str(said["model"]), path
    )


def predict(
    directory: str | Path,
    potentials: "Mapping[str, Table] | None" = None,
    steps: "Sequence[int] | None" = None,
) -> "list[Prediction]":
    """Return what each state of a run would have with other potentials, from its simulations, without MD.

    Parameters
    ----------
    directory
        The main directory, with ``settings.xml``.
    potentials
        u(r) (nm, kJ/mol) by interaction; those that are not named have that of the last step.
    steps
        Numbers of the steps that are used; default: all.

    Raises
    ------
    UserError
        As :func:`votca_mlp.inverse.predict.predict`; no settings.xml.
    """
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.predict import predict as predicted
    from votca_mlp.settings import load_settings

    path = Path(directory) / "settings.xml"
    if not path.is_file():
        what = "no settings.xml, so that nothing says what was measured"
        raise UserError(
            what, where=directory, accepted="the main directory of votca-mlp inverse or csg_inverse"
        )
    return predicted(plan_of(load_settings(path)), potentials or {}, steps)


def _of_settings(path: Path, name: str) -> Correction:
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.settings import load_settings

    plan = plan_of(load_settings(path / "settings.xml"))
    states = {state.name: state for state in plan.states}
    if name not in states:
        known = ", ".join(f"state={known!r}" for known in states)
        what = f"no state '{name}'" if name else f"a run of {len(states)} states"
        raise UserError(what, where=path, accepted=known if plan.several else "no state: the run has one")
    state = states[name]
    runs = {pair.grid.species: read_tables(path, pair.name, name) for pair in state.pairs}
    pressure = state.md.pressure if state.md.ensemble == "npt" else None
    return correction_of_runs(
        runs, state.temperature, pressure, potential_identity(state.model, plan.directory), path
    )
