"""The machine-learning potential."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, NonNegativeInt, PositiveInt
from pydantic_core import PydanticCustomError

from votca_mlp.fields import Section, setting
from votca_mlp.models.registry import kind_names

FREE = ("device", "threads", "trust_pickle")
"""Tags that belong to a machine or its user: another value gives the same potential."""

LATER = {"energy_unit": "eV", "level": None}
"""Tags that came after files had been written without them, and what their absence there means."""

_DEEPEST, _MOST = 50, 100_000
"""Of <arguments>: levels, and values in all; aliases of YAML can stand for any number."""


def _registered(value: str) -> str:
    if value not in kind_names():
        # not a ValueError, whose words would repeat what is accepted
        raise PydanticCustomError("model_kind", "no kind of model")
    return value


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


def _all_members(value: Any) -> Any:
    return None if value == "all" else value.split() if isinstance(value, str) else value


def _yaml_mapping(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    import yaml

    try:
        data = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ValueError("not YAML: nested too deeply") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ValueError(f"'{value}' is not a mapping of names to values")
    _refuse_endless(data)
    return data


def _refuse_endless(data: Any) -> None:
    """Refuse aliases of what they are in, and those that stand for more values than anything needs."""
    waiting, seen = [(data, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST:
            raise ValueError("it is nested without end, or has too many values")
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend((item, depth + 1) for item in inner)


def potential_facts(mlp: "MLPSettings") -> dict[str, Any]:
    """Return what makes the potential another one, as plain data: records and exports hold it.

    Without ``energy_unit`` and ``level`` where they say what their absence means, so that what was written
    before there were these tags still fits.
    """
    facts = mlp.model_dump(exclude={*FREE, *LATER}, mode="json")
    return facts | later_facts(mlp)


def later_facts(mlp: "MLPSettings") -> dict[str, Any]:
    """Return the tags of :data:`LATER` that say something else than their absence."""
    return {tag: getattr(mlp, tag) for tag in LATER if getattr(mlp, tag) not in (None, LATER[tag])}


class MLPSettings(Section):
    """cg.inverse.mlp: the machine-learning potential that is corrected."""

    kind: Annotated[str, AfterValidator(_registered)] = setting(
        accepted=" | ".join(kind_names()),
        meaning="A hippynn model, an ANI committee in NeuroChem's format, or any ASE calculator.",
    )
    model: str | None = setting(
        None,
        accepted="a path or builtin:NAME",
        meaning="The model's file or folder, relative to the main directory; ~ and $VARIABLES are expanded. "
        "Required for hippynn and ani.",
    )
    members: Annotated[tuple[NonNegativeInt, ...] | None, BeforeValidator(_all_members)] = setting(
        None,
        accepted="all, or numbers from 0 separated by spaces",
        meaning="Members of an ANI committee that are averaged.",
    )
    calculator: str | None = setting(
        None,
        accepted="module:callable",
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        meaning="For kind 'ase': what makes the calculator, for example ase.calculators.emt:EMT.",
    )
    arguments: Annotated[dict[str, Any], BeforeValidator(_yaml_mapping)] = setting(
        {},
        accepted="a YAML mapping such as {cutoff: 6.0}",
        meaning="For kind 'ase': arguments of the calculator.",
    )
    device: str = setting(
        "auto",
        accepted="auto | cpu | cuda | cuda:N",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        meaning="Where the model runs; auto takes a GPU when there is one.",
    )
    dtype: Literal["float32", "float64"] = setting("float32", meaning="Precision of the model.")
    threads: Annotated[PositiveInt | None, BeforeValidator(_auto)] = setting(
        None, accepted="auto, or a whole number > 0", meaning="CPU threads of the model."
    )
    energy_unit: Literal["eV", "kcal/mol", "kJ/mol", "Hartree"] | None = setting(
        None,
        accepted="eV | kcal/mol | kJ/mol | Hartree",
        meaning="Unit of the energies that a hippynn experiment was trained with (lengths in Angstrom); "
        "needed for one, as its files do not say it. hippynn's own default is kcal/mol.",
    )
    level: str | None = setting(
        None,
        accepted="a level of theory that the model was trained to",
        meaning="Which level of theory a hippynn model gives that was trained to several of them; "
        "required for such a model.",
    )
    trust_pickle: bool = setting(
        False,
        meaning="Allow loading a model file that can run code when it is loaded (pickle). "
        "Only for files you made or trust.",
    )
