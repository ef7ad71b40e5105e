"""The command ``votca-mlp``: what csg_inverse's scripts call some ten times a step goes past typer."""

import sys

from votca_mlp.errors import UserError


def main() -> None:
    """Run the command line; a UserError becomes one message and exit status 1."""
    words = sys.argv[1:]
    try:
        if words[:1] == ["csg"]:
            from votca_mlp.cli.csg import run_command

            run_command(words[1:])
        elif words == ["scriptpath"]:
            from votca_mlp.csg.scriptpath import script_path

            print(script_path())
        else:
            from votca_mlp.cli.app import app

            app()
    except UserError as error:
        print(f"votca-mlp: {error}", file=sys.stderr)
        sys.exit(1)
