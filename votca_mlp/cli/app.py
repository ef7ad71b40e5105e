"""The commands for users' hands: one file a command, heavy imports inside the functions that need them."""

import typer

from votca_mlp.cli.check import check
from votca_mlp.cli.command import Command, Group
from votca_mlp.cli.defaults import defaults
from votca_mlp.cli.diffusion import diffusion
from votca_mlp.cli.export import export
from votca_mlp.cli.inverse import inverse
from votca_mlp.cli.melt import melt
from votca_mlp.cli.plot import plot
from votca_mlp.cli.predict import predict
from votca_mlp.cli.report import report
from votca_mlp.cli.solid import elastic, lattice
from votca_mlp.cli.status import status
from votca_mlp.cli.target import target
from votca_mlp.cli.temperature import temperature
from votca_mlp.cli.train import train
from votca_mlp.cli.validate import validate
from votca_mlp.versions import VERSION

app = typer.Typer(
    name="votca-mlp",
    help="Correct machine-learning potentials to measured radial distribution functions with VOTCA-CSG.",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"votca-mlp {VERSION}")
        raise typer.Exit


@app.callback()
def _root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:
    """Correct machine-learning potentials to measured radial distribution functions with VOTCA-CSG."""


app.command(cls=Command)(target)
app.command(cls=Command)(plot)
app.command(cls=Command)(status)
app.command(cls=Command)(report)
app.command(cls=Command)(predict)
app.command(cls=Command)(diffusion)
app.command(cls=Command)(lattice)
app.command(cls=Command)(elastic)
app.command(cls=Command)(melt)
app.command(cls=Command)(check)
app.command(cls=Command)(validate)
app.command(cls=Command)(defaults)
app.command(cls=Command)(export)
app.command(cls=Command)(temperature)
app.command(cls=Command)(train)
app.command(cls=Command, context_settings={"ignore_unknown_options": True})(inverse)


@app.command(cls=Command)
def scriptpath() -> None:
    """Print the directory for <scriptpath> in settings.xml."""
    from votca_mlp.csg.scriptpath import script_path

    typer.echo(str(script_path()))
