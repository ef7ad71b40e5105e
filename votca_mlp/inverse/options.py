"""VOTCA's own options that this loop obeys, typed, with VOTCA's defaults; the others are refused by name."""

import re
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.restart import restart_name
from votca_mlp.settings import Interaction, Settings

POST_UPDATE = ("dummy", "extrapolate", "ibi", "scale", "shift", "smooth", "splinesmooth", "tag")
POST_ADD = (
    "acc_convergence",
    "average",
    "compress",
    "convergence",
    "copyback",
    "dummy",
    "overwrite",
    "shift",
    "smooth_at_cut_off",
    "tag",
)
CHECKS = ("none", "default", "chi2", "rms", "largest", "fit", "plateau")

_INSTEAD = {
    "pressure": "cg.inverse.ase.ensemble npt: the barostat then holds cg.inverse.ase.pressure",
    "plot": "votca-mlp plot, also while the loop runs",
}
_OURS = re.compile(r"\$\([^)]*\bscriptpath\s*\)")

# tags that change what csg_inverse does with program ase and method ibi, and that nothing here obeys
_NOT_OBEYED = {
    "cg.inverse.map": "no mapping: the atoms are the beads",
    "cg.inverse.ase.rdf.map": "no mapping: the atoms are the beads",
    "cg.inverse.ase.rdf.topol": "cg.inverse.ase.topol",
    "cg.inverse.ase.rdf.traj": "cg.inverse.ase.traj",
}


@dataclass(frozen=True)
class PairOptions:
    """Options of one interaction's post_update and post_add tasks; cycles are 0 and 1 by iteration."""

    scale: float
    smooth_iterations: int
    splinesmooth_step: float
    extrapolate_points: int
    ibi_do: tuple[int, ...]
    overwrite_do: tuple[int, ...]
    convergence: tuple[tuple[str, str, float, int], ...]
    """what, base, weight, norm of each part of the measure."""
    average_what: tuple[str, ...]
    copyback: tuple[str, ...]
    compress: tuple[str, ...]
    compress_program: str
    compress_options: tuple[str, ...]


@dataclass(frozen=True)
class LoopOptions:
    """Options of the loop; ``pairs`` by the name of the interaction."""

    log_file: str
    restart_file: str
    cleanlist: tuple[str, ...]
    average_steps: int
    pairs: dict[str, PairOptions]


def loop_options(settings: Settings) -> LoopOptions:
    """Read VOTCA's options of the loop and of the tasks that are named.

    Raises
    ------
    UserError
        An option that csg_inverse knows and this loop does not, or a value that is not accepted; with line
        and tag.
    """
    _refuse(settings)
    reader = _Reader(settings, "cg.inverse")
    steps = reader.whole("average.steps", 2)
    return LoopOptions(
        # as VOTCA: the log is in the main directory, whatever folder is named
        log_file=Path(settings.text("cg.inverse.log_file") or "inverse.log").name,
        restart_file=restart_name(settings),
        cleanlist=reader.inside("cleanlist"),
        average_steps=steps,
        pairs={pair.name: _pair_options(settings, pair) for pair in settings.interactions},
    )


def cycle(values: tuple[int, ...], step: int) -> bool:
    """Return whether a cycle such as ``1 1 0`` says yes in iteration ``step`` (from 1)."""
    return values[(step - 1) % len(values)] == 1


def _refuse(settings: Settings) -> None:
    def refuse(tag: str, what: str, accepted: str) -> None:
        raise UserError(what, where=settings.where(tag), accepted=accepted)

    for tag, accepted in _NOT_OBEYED.items():
        if settings.text(tag):
            refuse(tag, "csg_inverse knows this option, votca-mlp inverse does not", accepted)
    if settings.text("cg.inverse.simulation.background") == "yes":
        refuse("cg.inverse.simulation.background", "the simulation is part of this process", "no")
    if settings.program != "gromacs" and settings.engine.equi_time > 0.0:
        what = "the trajectory stores no time, so csg_stat would find no frame"
        instead = "0, and first_frame or a longer equilibration instead"
        refuse(f"cg.inverse.{settings.program}.equi_time", what, instead)
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
        for tag, named, known in (
            ("post_update", pair.post_update, POST_UPDATE),
            ("post_add", pair.post_add, POST_ADD),
        ):
            for task in named:
                if task not in known:
                    accepted = _INSTEAD.get(task) or ", ".join(known)
                    where = f"cg.non-bonded[{pair.name}].inverse.{tag}"
                    refuse(where, f"votca-mlp inverse has no {tag} task '{task}'", accepted)
        one_term = {"average", "overwrite"} & set(pair.post_add)
        if one_term and settings.multistate.enabled and settings.multistate.temperature_terms > 1:
            where = f"cg.non-bonded[{pair.name}].inverse.post_add"
            refuse(where, f"'{min(one_term)}' knows one u(r) only", "temperature_terms 1 with it")
        if "overwrite" in pair.post_add[:-1]:
            where = f"cg.non-bonded[{pair.name}].inverse.post_add"
            refuse(where, "'overwrite' is not the last task", "'overwrite' at the end")


def _refuse_scripts(settings: Settings) -> None:
    """Refuse folders of scripts in <scriptpath>: they would change what csg_inverse does."""
    from votca_mlp.csg import SCRIPT_DIRECTORY

    text = _OURS.sub("", settings.text("cg.inverse.scriptpath") or "")
    for entry in filter(None, text.replace("\n", ":").split(":")):
        if not entry.strip() or Path(entry.strip()) == SCRIPT_DIRECTORY:
            continue
        raise UserError(
            f"'{entry.strip()}' holds scripts for csg_inverse, and this loop runs none",
            where=settings.where("cg.inverse.scriptpath"),
            accepted="$(votca-mlp scriptpath) alone, or csg_inverse",
        )


def _pair_options(settings: Settings, pair: Interaction) -> PairOptions:
    tasks = {*pair.post_update, *pair.post_add}
    update = _Reader(settings, f"cg.non-bonded[{pair.name}].inverse.post_update_options")
    post = _Reader(settings, f"cg.non-bonded[{pair.name}].inverse.post_add_options")
    what = post.words("convergence.what", "dist")
    base = post.words("convergence.base", "tgt")
    weight = post.words("convergence.weight", "1")
    norm = post.words("convergence.norm", "1")
    if not len(what) == len(base) == len(weight) == len(norm):
        post.refuse("convergence", "what, base, weight and norm have different lengths", "equally many")
    for pair_of in zip(what, base, strict=True):
        if pair_of not in (("dist", "tgt"), ("pot", "cur")):
            post.refuse("convergence.what", f"{pair_of[0]} against {pair_of[1]}", "dist tgt, or pot cur")
    averaged = post.words("average.what", "")
    if "average" in tasks and averaged != ("pot",):
        post.refuse("average.what", f"is '{' '.join(averaged)}'", "pot")
    spacing = update.number("splinesmooth.step", 0.0)
    if "splinesmooth" in tasks and spacing <= 0.0:
        update.refuse("splinesmooth.step", "is missing", "a number > 0 (nm)")
    return PairOptions(
        scale=update.number("scale", 1.0),
        smooth_iterations=update.whole("smooth.iterations", 1),
        splinesmooth_step=spacing,
        extrapolate_points=max(1, update.whole("extrapolate.points", 5)),
        ibi_do=update.cycle("ibi.do"),
        overwrite_do=post.cycle("overwrite.do"),
        convergence=tuple(
            (w, b, post.as_number("convergence.weight", x), post.norm(n))
            for w, b, x, n in zip(what, base, weight, norm, strict=True)
        ),
        average_what=averaged,
        copyback=post.needed("copyback.filelist", "copyback" in tasks),
        compress=post.needed("compress.filelist", "compress" in tasks),
        compress_program=" ".join(post.words("compress.program", "gzip")),
        compress_options=post.words("compress.program_opts", "-9"),
    )


class _Reader:
    """Texts of the tags below one section."""

    def __init__(self, settings: Settings, section: str) -> None:
        self.settings, self.section = settings, section

    def refuse(self, tag: str, what: str, accepted: str) -> None:
        raise UserError(what, where=self.settings.where(f"{self.section}.{tag}"), accepted=accepted)

    def words(self, tag: str, default: str) -> tuple[str, ...]:
        return tuple((self.settings.text(f"{self.section}.{tag}") or default).split())

    def as_number(self, tag: str, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            self.refuse(tag, f"is '{text}'", "a number")
            raise

    def number(self, tag: str, default: float) -> float:
        text = self.settings.text(f"{self.section}.{tag}")
        return self.as_number(tag, text) if text else default

    def whole(self, tag: str, default: int) -> int:
        text = self.settings.text(f"{self.section}.{tag}") or str(default)
        if not text.strip().isdecimal():
            self.refuse(tag, f"is '{text}'", "a whole number >= 0")
        return int(text)

    def cycle(self, tag: str) -> tuple[int, ...]:
        words = self.words(tag, "1")
        if any(word not in ("0", "1") for word in words):
            self.refuse(tag, f"is '{' '.join(words)}'", "0 and 1 separated by spaces")
        return tuple(int(word) for word in words)

    def norm(self, text: str) -> int:
        if text not in ("1", "2"):
            self.refuse("convergence.norm", f"is '{text}'", "1 or 2")
        return int(text)

    def inside(self, tag: str) -> tuple[str, ...]:
        words = self.words(tag, "")
        for word in words:
            if Path(word).is_absolute() or ".." in Path(word).parts:
                self.refuse(tag, f"names '{word}', outside the step directory", "names of files in it")
        return words

    def needed(self, tag: str, named: bool) -> tuple[str, ...]:
        words = self.inside(tag)
        if named and not words:
            self.refuse(tag, "is missing", "names of files in the step directory")
        return words
