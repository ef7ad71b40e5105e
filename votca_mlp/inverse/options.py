"""VOTCA's own options that this loop obeys, typed, with VOTCA's defaults."""

from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairTasks, PressureTask
from votca_mlp.inverse.refused import refuse_unknown
from votca_mlp.settings import Interaction, Settings

PRESSURE_TAGS = (
    "p_target",
    "particle_dens",
    *(
        f"post_update_options.pressure.{tag}"
        for tag in ("type", "do", "simple.scale", "simple.max_A", "wjk.scale", "wjk.max_A")
    ),
)
"""What VOTCA's pressure correction reads of an interaction, below its ``inverse``."""


@dataclass(frozen=True)
class LoopOptions:
    """Options of the loop; ``pairs`` by the name of the interaction."""

    log_file: str
    cleanlist: tuple[str, ...]
    average_steps: int
    pairs: dict[str, PairTasks]


def loop_options(settings: Settings) -> LoopOptions:
    """Read VOTCA's options of the loop and of the tasks that are named, checked with the settings.

    Raises
    ------
    UserError
        An option that csg_inverse knows and this loop does not; with line and tag.
    """
    refuse_unknown(settings)
    reader = _Reader(settings, "cg.inverse")
    steps = reader.whole("average.steps", 2)
    return LoopOptions(
        # as VOTCA: the log is in the main directory, whatever folder is named
        log_file=Path(settings.text("cg.inverse.log_file") or "inverse.log").name,
        cleanlist=reader.words("cleanlist", ""),
        average_steps=steps,
        pairs={pair.name: _pair_options(settings, pair) for pair in settings.interactions},
    )


def _pair_options(settings: Settings, pair: Interaction) -> PairTasks:
    tasks = {*pair.post_update, *pair.post_add}
    update = _Reader(settings, f"cg.non-bonded[{pair.name}].inverse.post_update_options")
    post = _Reader(settings, f"cg.non-bonded[{pair.name}].inverse.post_add_options")
    what = post.words("convergence.what", "dist")
    base = post.words("convergence.base", "tgt")
    weight = post.words("convergence.weight", "1")
    norm = post.words("convergence.norm", "1")
    for pair_of in zip(what, base, strict=True):
        if pair_of not in (("dist", "tgt"), ("pot", "cur")):
            post.refuse("convergence.what", f"{pair_of[0]} against {pair_of[1]}", "dist tgt, or pot cur")
    averaged = post.words("average.what", "")
    if "average" in tasks and averaged != ("pot",):
        post.refuse("average.what", f"is '{' '.join(averaged)}'", "pot")
    return PairTasks(
        scale=update.number("scale", 1.0),
        smooth_iterations=update.whole("smooth.iterations", 1),
        splinesmooth_step=update.number("splinesmooth.step", 0.0),
        extrapolate_points=max(1, update.whole("extrapolate.points", 5)),
        ibi_do=update.cycle("ibi.do"),
        overwrite_do=post.cycle("overwrite.do"),
        convergence=tuple(
            (w, b, float(x), int(n)) for w, b, x, n in zip(what, base, weight, norm, strict=True)
        ),
        copyback=post.words("copyback.filelist", ""),
        compress=post.words("compress.filelist", ""),
        compress_program=" ".join(post.words("compress.program", "gzip")),
        compress_options=post.words("compress.program_opts", "-9"),
    )


def pressure_task(settings: Settings, pair: Interaction) -> PressureTask | None:
    """Return the options of an interaction's pressure correction; None where post_update does not name it."""
    if "pressure" not in pair.post_update:
        return None
    inverse = _Reader(settings, f"cg.non-bonded[{pair.name}].inverse")
    reader = _Reader(settings, f"{inverse.section}.post_update_options.pressure")
    kind = " ".join(reader.words("type", "simple"))
    return PressureTask(
        kind,
        reader.number(f"{kind}.scale", 1.0),
        reader.number(f"{kind}.max_A", 0.1),
        reader.cycle("do"),
        inverse.optional("p_target"),
        inverse.optional("particle_dens"),
    )


class _Reader:
    """Texts of the tags below one section, checked as settings/tasks.py does."""

    def __init__(self, settings: Settings, section: str) -> None:
        self.settings, self.section = settings, section

    def refuse(self, tag: str, what: str, accepted: str) -> None:
        raise UserError(what, where=self.settings.where(f"{self.section}.{tag}"), accepted=accepted)

    def words(self, tag: str, default: str) -> tuple[str, ...]:
        return tuple((self.settings.text(f"{self.section}.{tag}") or default).split())

    def number(self, tag: str, default: float) -> float:
        return float(self.settings.text(f"{self.section}.{tag}") or default)

    def optional(self, tag: str) -> float | None:
        text = self.settings.text(f"{self.section}.{tag}")
        return float(text) if text else None

    def whole(self, tag: str, default: int) -> int:
        return int(self.settings.text(f"{self.section}.{tag}") or default)

    def cycle(self, tag: str) -> tuple[int, ...]:
        return tuple(int(word) for word in self.words(tag, "1"))
