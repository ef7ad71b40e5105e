"""Hidden commands ``votca-mlp csg ...`` that VOTCA's scripts call; not for users' hands."""

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from votca_mlp.csg.environment import CsgEnvironment, read_environment
from votca_mlp.csg.terminal import complain, say
from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.settings import Settings


class _ShowErrors(typer.core.TyperGroup):
    """Shows why a command failed on the terminal behind csg_inverse's log, and in the log."""

    def invoke(self, ctx: "typer.Context") -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except UserError as error:
            complain(f"votca-mlp: {error}")
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("click", "typer"):
                raise
            traceback.print_exc()
            complain(f"votca-mlp: {type(error).__name__}: {error} (the log has the traceback)")
        sys.exit(1)


app = typer.Typer(name="csg", hidden=True, cls=_ShowErrors, no_args_is_help=True, help=__doc__)


def _load() -> tuple["Settings", CsgEnvironment]:
    from votca_mlp.settings import load_settings

    environment = read_environment()
    return load_settings(environment.settings), environment


@app.command()
def defaults(stock: Path) -> None:
    """Print the path of a defaults file that holds STOCK's tags and ours."""
    from votca_mlp.csg.defaults import merged_defaults_file

    typer.echo(str(merged_defaults_file(stock)))


@app.command()
def check() -> None:
    """Step 0: check settings, files, model, start and VOTCA itself."""
    from votca_mlp.csg.check import check_before_start

    settings, environment = _load()
    for line in check_before_start(settings, environment.main_directory, environment.step_directory):
        say(line)


@app.command()
def prepare(name: str) -> None:
    """Write the initial potential NAME.pot.new."""
    from votca_mlp.inverse.potentials import initial_potential, interaction_named
    from votca_mlp.inverse.states import term_names
    from votca_mlp.tables import write_table

    settings, environment = _load()
    interaction = interaction_named(settings, name)
    for stem in term_names(settings, name):
        pair = interaction.model_copy(update={"name": stem})
        table, given = initial_potential(pair, environment.main_directory)
        write_table(f"{stem}.pot.new", table)
        say(f"Initial correction of {stem}: " + (f"{stem}.pot.in" if given else "none, the model as it is"))


@app.command()
def convert(source: Path, out: Path) -> None:
    """Write r, u and force of a potential as the engine uses it."""
    from votca_mlp.inverse.potentials import export_potential

    export_potential(source, out)


@app.command()
def run() -> None:
    """Run or resume the simulation of this step, or those of its states."""
    from votca_mlp.csg.run import run_simulation
    from votca_mlp.csg.states import run_states
    from votca_mlp.runs.lock import locked

    settings, environment = _load()
    # no second loop, of either kind, may write into the same step
    with locked(environment.main_directory):
        start = run_states if settings.multistate.enabled else run_simulation
        start(settings, environment, tell=say)


@app.command("run-state")
def run_state(name: str) -> None:
    """Run or resume the simulation of state NAME in this step; the loop that starts it holds the lock."""
    from dataclasses import replace

    from votca_mlp.csg.run import run_simulation
    from votca_mlp.settings.states import read_state_settings

    environment = read_environment()
    folder = environment.step_directory / name
    # what the loop has read: settings.xml may have been edited since
    settings = read_state_settings(folder / "settings.xml", environment.main_directory, name)
    run_simulation(settings, replace(environment, step_directory=folder), tell=say)


@app.command("has-checkpoint")
def has_checkpoint() -> None:
    """Exit with 0 when this step can be resumed."""
    from votca_mlp.csg.states import can_resume
    from votca_mlp.engines.dispatch import checkpoint_file

    settings, environment = _load()
    if settings.multistate.enabled:
        raise typer.Exit(0 if can_resume(settings, environment.step_directory) else 1)
    raise typer.Exit(0 if checkpoint_file(settings.program, environment.step_directory).is_file() else 1)


@app.command()
def update(name: str, target: Path, rdf: Path, potential: Path, out: Path, kbt: float) -> None:
    """Write the update of interaction NAME to OUT; KBT in kJ/mol."""
    from votca_mlp.inverse.potentials import interaction_named
    from votca_mlp.inverse.updates import described_agreement, update_table
    from votca_mlp.tables import write_table

    settings, environment = _load()
    table = update_table(
        interaction_named(settings, name),
        target=target,
        rdf=rdf,
        potential=potential,
        kbt=kbt,
        main_directory=environment.main_directory,
    )
    write_table(out, table)
    say(described_agreement(name, rdf, target))


@app.command("begin-states")
def begin() -> None:
    """Bring files, potentials and start of each state into its folder of the step."""
    from votca_mlp.csg.states import begin_states

    begin_states(*_load())


@app.command("state-settings")
def state_settings() -> None:
    """Write STATE/settings.xml for every state into the step."""
    from votca_mlp.csg.states import write_settings

    settings, environment = _load()
    write_settings(settings, environment.step_directory)


@app.command("term-settings")
def term_settings(out: Path) -> None:
    """Write a settings.xml in which every term of u(r; T) is an interaction."""
    from votca_mlp.csg.terms import write_term_settings

    write_term_settings(_load()[0], out)


@app.command("update-states")
def update_of_states(name: str) -> None:
    """Write the update of interaction NAME that all states share, NAME.dpot.pure_ibi, and of its terms."""
    from votca_mlp.csg.states import update_states

    update_states(*_load(), name)


@app.command()
def agreement() -> None:
    """Say how far the states are from their targets and whether they are in conflict; write u(r; T)."""
    from votca_mlp.csg.states import described_states
    from votca_mlp.inverse.temperature import write_u_of_t

    settings, environment = _load()
    for line in described_states(settings, environment):
        say(line)
    write_u_of_t(settings, environment.step_number)


@app.command()
def hold(source: Path, out: Path) -> None:
    """Hold a table constant outside its valid points."""
    from votca_mlp.inverse.potentials import hold_ends
    from votca_mlp.tables import read_table, write_table

    write_table(out, hold_ends(read_table(source)))


@app.command()
def converged() -> None:
    """Leave ``stop`` in the step, and ``done`` in the main directory, when the iterations are to end."""
    from votca_mlp.inverse.history import verdict

    settings, environment = _load()
    found = verdict(settings, environment.main_directory, environment.step_number)
    say(f"Convergence check {settings.convergence_check.type}: {found.reason}")
    if found.stop:
        # csg_inverse ends on the second; without the first it would go on when it is started again
        (environment.main_directory / "done").touch()
        if not found.met:
            # for csg_inverse an end without an error is convergence
            raise UserError(
                "the iterations are at their end, but not converged",
                accepted="states that one correction can fit, or more temperature_terms",
            )
        Path("stop").touch()
