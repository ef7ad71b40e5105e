"""How the commands show themselves in --help."""

from typing import Any

import typer


def without_types(params: list[Any]) -> list[Any]:
    """Return parameters whose flags, which take no value, show no type: typer writes ``<bool>``."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.display_type_rich = lambda ctx: None
    return params


class Command(typer.core.TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, for ``--help`` too."""
        return without_types(super().get_params(ctx))


class Group(typer.core.TyperGroup):
    """The program."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, for ``--help`` too."""
        return without_types(super().get_params(ctx))
