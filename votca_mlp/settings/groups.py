"""Groups of interactions of VOTCA's method imc: ``inverse.imc.group`` and ``cg.inverse.imc.GROUP.reg``."""

import math

from votca_mlp.errors import UserError
from votca_mlp.plain import number_of
from votca_mlp.settings.models import Settings
from votca_mlp.update.rule import Group

NONE = "none"
"""VOTCA's word for an interaction that is in no group: it is not updated."""


def imc_groups(settings: Settings) -> tuple[Group, ...]:
    """Return the groups; empty where no interaction names one: then all are one group.

    Raises
    ------
    UserError
        A ``reg`` that is no number >= 0; a section of a group that no interaction names; an interaction
        without a group that is to be updated.
    """
    if settings.method != "imc":
        return ()
    named = {
        pair.name: (settings.text(f"cg.non-bonded[{pair.name}].inverse.imc.group") or "").strip()
        for pair in settings.interactions
    }
    default = _reg(settings, "cg.inverse.imc.default_reg")
    _refuse_unknown(settings, set(named.values()))
    if not any(named.values()) and default is None:
        return ()
    members: dict[str, list[str]] = {}
    for pair in settings.interactions:
        group = named[pair.name] or "all"
        if group != NONE:
            members.setdefault(group, []).append(pair.name)
        elif any(pair.do_potential):
            raise UserError(
                "is 'none', but the interaction is to be updated",
                where=settings.where(f"cg.non-bonded[{pair.name}].inverse.imc.group"),
                accepted="<do_potential>0</do_potential> with it, or the name of a group",
            )
    return tuple(
        Group(name, tuple(names), reg if reg is not None else default)
        for name, names in members.items()
        for reg in (_reg(settings, f"cg.inverse.imc.{name}.reg"),)
    )


def _reg(settings: Settings, tag: str) -> float | None:
    text = (settings.text(tag) or "").strip()
    if not text:
        return None
    try:
        value = number_of(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UserError(f"is '{text}'", where=settings.where(tag), accepted="a number >= 0")
    return value


def _refuse_unknown(settings: Settings, names: set[str]) -> None:
    known = names - {"", NONE} or {"all"}
    inverse = settings._root.first("inverse") if settings._root is not None else None
    section = inverse.first("imc") if inverse is not None else None
    for child in section.children if section is not None else ():
        if child.tag not in ("default_reg", "DESC") and child.tag not in known:
            raise UserError(
                "is a group that no interaction names",
                where=settings.where(child.path),
                accepted=f"<imc> <group>{child.tag}</group> </imc> in an interaction, or "
                f"{', '.join(sorted(known))}",
            )
