"""How the commands show themselves in --help, and what none of them takes."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from votca_mlp.errors import UserError
from votca_mlp.plain import number_of

LONGEST = 255
"""Bytes of a name in a path: that is what file systems take."""


def without_types(params: list[Any]) -> list[Any]:
    """Return parameters whose flags, which take no value, show no type: typer writes ``<bool>``."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.display_type_rich = lambda ctx: None
    return params


def refuse_long_names(values: Any) -> None:
    """Refuse words with a name that no file can have, in whatever option: each look at it would fail.

    Raises
    ------
    UserError
        With the beginning of the name.
    """
    for value in values if isinstance(values, list | tuple) else [values]:
        for name in Path(value).parts if isinstance(value, str | Path) else ():
            if len(os.fsencode(name)) > LONGEST:
                what = f"'{name[:40]}...' has {len(name)} characters"
                raise UserError(what, accepted=f"names of at most {LONGEST} bytes")


def refuse_empty_names(words: Sequence[str], values: Iterable[Any]) -> None:
    """Refuse an empty name, as of a shell's variable that is not set: Python takes it as the folder ``.``.

    Raises
    ------
    UserError
        Naming what is accepted.
    """
    if "" in words and Path() in [value for value in values if isinstance(value, Path)]:
        raise UserError("a file's name is empty", accepted="a name; . is the folder that you are in")


def refuse_odd_numbers(words: Sequence[str], values: Iterable[Any]) -> None:
    """Refuse words that Python alone reads as the numbers among ``values``: 1_0, digits of other scripts.

    Raises
    ------
    UserError
        Naming the word.
    """
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    for word in words:
        text = word.partition("=")[2] or re.sub(r"^-[A-Za-z]", "", word)
        try:
            number_of(text)
        except ValueError:
            try:
                if float(text) in numbers:
                    raise UserError(f"'{text}' is read as a number by few programs", accepted="digits alone")
            except ValueError:
                continue


def flowing(text: str | None) -> str | None:
    """Return a docstring whose paragraphs are a line each, so that a screen breaks them by its own width."""
    if text is None:
        return None
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))


class Command(typer.core.TyperCommand):
    """A command."""

    def __init__(self, *args: Any, help: str | None = None, **options: Any) -> None:
        super().__init__(*args, help=flowing(help), **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        words = list(args)
        rest = super().parse_args(ctx, args)
        refuse_empty_names(words, ctx.params.values())
        refuse_odd_numbers(words, ctx.params.values())
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        for values in ctx.params.values():
            refuse_long_names(values)
        return super().invoke(ctx)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, for ``--help`` too."""
        return without_types(super().get_params(ctx))


class Group(typer.core.TyperGroup):
    """The program."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, for ``--help`` too."""
        return without_types(super().get_params(ctx))
