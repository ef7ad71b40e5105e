"""What csg_inverse knows and this loop does not, refused by name."""

from votca_mlp.errors import UserError
from votca_mlp.settings import Settings
from votca_mlp.settings.post_tasks import IN_BOTH, INSTEAD, named, other_folders

CHECKS = ("none", "default", "chi2", "rms", "largest", "fit", "plateau", "data")


def refuse_unknown(settings: Settings) -> None:
    """Refuse what csg_inverse knows and this loop does not.

    Raises
    ------
    UserError
        Naming line and tag.
    """

    def refuse(tag: str, what: str, accepted: str) -> None:
        raise UserError(what, where=settings.where(tag), accepted=accepted)

    for tag, accepted in _not_obeyed(settings).items():
        if settings.text(tag):
            refuse(tag, "csg_inverse knows this option, votca-mlp inverse does not", accepted)
    if settings.text("cg.inverse.simulation.background") == "yes":
        refuse("cg.inverse.simulation.background", "the simulation is part of this process", "no")
    check = settings.convergence_check.type
    if check not in CHECKS:
        what = f"'{check}' is a script, and this loop runs none"
        refuse("cg.inverse.convergence_check.type", what, " | ".join(CHECKS))
    _refuse_scripts(settings)
    for pair in settings.interactions:
        for tag in ("threebody", "type3", "force", "cut"):
            where = f"cg.non-bonded[{pair.name}].{tag}"
            if settings.text(where) not in (None, "", "0"):
                refuse(where, "this loop measures pair distributions only", "no such tag")
        for tag, tasks in named(pair).items():
            for task in tasks:
                if task not in IN_BOTH[tag]:
                    accepted = INSTEAD.get(task) or ", ".join(IN_BOTH[tag])
                    where = f"cg.non-bonded[{pair.name}].inverse.{tag}"
                    refuse(where, f"votca-mlp inverse has no {tag} task '{task}'", accepted)
        one_term = {"average", "overwrite"} & set(pair.post_add)
        if one_term and settings.multistate.enabled and settings.multistate.temperature_terms > 1:
            where = f"cg.non-bonded[{pair.name}].inverse.post_add"
            refuse(where, f"'{min(one_term)}' knows one u(r) only", "temperature_terms 1 with it")
        if "overwrite" in pair.post_add[:-1]:
            where = f"cg.non-bonded[{pair.name}].inverse.post_add"
            refuse(where, "'overwrite' is not the last task", "'overwrite' at the end")


def _not_obeyed(settings: Settings) -> dict[str, str]:
    """Return the tags that change what csg_inverse does with our method, and that nothing here obeys."""
    section = f"cg.inverse.{settings.program}"
    # an engine may have tags of these names for itself
    known = type(settings.engine.rdf).model_fields
    return {f"{section}.rdf.{name}": f"{section}.{name}" for name in ("topol", "traj") if name not in known}


def _refuse_scripts(settings: Settings) -> None:
    """Refuse folders of scripts in <scriptpath>: they would change what csg_inverse does."""
    for entry in other_folders(settings.text("cg.inverse.scriptpath") or ""):
        raise UserError(
            f"'{entry}' holds scripts for csg_inverse, and this loop runs none",
            where=settings.where("cg.inverse.scriptpath"),
            accepted="$(votca-mlp scriptpath) alone, or csg_inverse",
        )
