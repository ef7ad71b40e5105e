"""``votca-mlp report``: a run as one page to send."""

from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import RunDirectory
from votca_mlp.errors import UserError

_ENDINGS = (".html", ".htm")


def report(
    directory: RunDirectory = Path("."),
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, .html.")] = Path("report.html"),
) -> None:
    """Write a run as one HTML page that needs no network: to read on any screen, to print, to send.

    Verdict, g(r), residual, u(r), convergence, the simulations, what was run, how to repeat it; also while
    it runs.
    """
    if output.suffix.lower() not in _ENDINGS:
        raise UserError(f"'{output}' is not a page", where="--output", accepted=", ".join(_ENDINGS))
    from votca_mlp.files import atomic_write
    from votca_mlp.report.page.page import report_page
    from votca_mlp.runs.lock import is_held

    page = report_page(directory, running=is_held(directory)).encode()
    with atomic_write(output, "wb") as file:
        file.write(page)
    typer.echo(f"wrote {output}, {len(page) / 1000:.0f} kB")
