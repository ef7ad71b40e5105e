"""How one setting is declared and how the text of its tag becomes a value."""

import shlex
from typing import Annotated, Any, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from votca_mlp.plain import plain_file_name

_LARGEST = 1e15
PLAIN_NAME = r"^\w[\w.+-]{0,99}$"
"""A name that is part of file names and that VOTCA's shell scripts take as one word."""


class Section(BaseModel):
    """A section of settings.xml: immutable, only the declared tags."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        # Python reads 1_0 as 10, VOTCA as 1
        known = cls.model_fields.get(info.field_name or "")
        truth = isinstance(value, str) and known is not None and known.annotation is bool
        if truth and value not in ("yes", "no", "true", "false"):
            # pydantic takes 1, On and T as well, which VOTCA's scripts take for no
            raise PydanticCustomError("truth", "neither yes nor no")
        if isinstance(value, str) and "_" in value and known is not None and _is_number(known.annotation):
            raise ValueError("a number with an underscore")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _not_astronomic(cls, value: Any) -> Any:
        # so that later products and quotients stay finite
        items = value if isinstance(value, tuple) else (value,)
        if any(isinstance(item, int | float) and abs(item) > _LARGEST for item in items):
            raise ValueError(f"larger than {_LARGEST:g}")
        return value


def setting(default: Any = ..., /, *, unit: str = "", accepted: str = "", meaning: str, **limits: Any) -> Any:
    """Declare one tag.

    Parameters
    ----------
    default
        Value when the tag is absent; none given means that the tag is required.
    unit
        Unit of the number in the file, for example ``fs``.
    accepted
        What the error message and the reference say is accepted; made from ``limits`` when empty.
    meaning
        One or two sentences for the reference.
    limits
        Passed to pydantic (``gt``, ``ge``, ...).
    """
    extra: JsonDict = {"unit": unit, "accepted": accepted}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


def accepted(info: FieldInfo) -> str:
    """Return what a tag accepts, in words, with its unit."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    words = str(extra.get("accepted") or "") or _accepted_by_type(info)
    unit = str(extra.get("unit") or "")
    return f"{words} ({unit})" if unit else words


def unit(info: FieldInfo) -> str:
    """Return the unit of a tag, or an empty string."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return str(extra.get("unit") or "")


def _accepted_by_type(info: FieldInfo) -> str:
    kinds = [kind for kind in (info.annotation, *get_args(info.annotation)) if kind is not None]
    choices = next((get_args(kind) for kind in kinds if str(get_origin(kind)) == "typing.Literal"), None)
    if choices:
        return " | ".join(str(choice) for choice in choices)
    if bool in kinds:
        return "yes | no"
    noun = "a whole number" if int in kinds else "a number" if float in kinds else "text"
    bounds = [
        f"{sign} {value:g}"
        for item in info.metadata
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        if (value := getattr(item, name, None)) is not None
    ]
    return f"{noun} {' and '.join(bounds)}".strip()


def _is_number(kind: Any) -> bool:
    """Return whether a type consists of numbers alone: float, int | None, tuple[float, ...]."""
    inner = [part for part in get_args(kind) if isinstance(part, type) or get_args(part)]
    if not inner:
        return kind in (int, float, type(None))
    return any(part in (int, float) or get_args(part) for part in inner) and all(map(_is_number, inner))


def _split(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def _command(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{error}") from None
    if not words:
        raise ValueError("no word in it")
    return value


Words = BeforeValidator(_split)
"""Splits a tag's text at white space, for tuples."""

CommandLine = Annotated[str, AfterValidator(_command)]
"""A command with its options, split as a shell does."""

FileName = Annotated[str, AfterValidator(plain_file_name)]
"""A file name without folders: the file lies in the step directory."""
