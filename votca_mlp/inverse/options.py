"""VOTCA's own options that this loop obeys, typed, with VOTCA's defaults."""

from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairTasks
from votca_mlp.inverse.refused import refuse_unknown
from votca_mlp.settings import Interaction, Settings


@dataclass(frozen=True)
class LoopOptions:
    """Options of the loop; ``pairs`` by the name of the interaction."""

    log_file: str
    cleanlist: tuple[str, ...]
    average_steps: int
    pairs: dict[str, PairTasks]


def loop_options(settings: Settings) -> LoopOptions:
    """Read VOTCA's options of the loop and of the tasks that are named.

    Raises
    ------
    UserError
        An option that csg_inverse knows and this loop does not, or a value that is not accepted; with line
        and tag.
    """
    refuse_unknown(settings)
    reader = _Reader(settings, "cg.inverse")
    steps = reader.whole("average.steps", 2)
    return LoopOptions(
        # as VOTCA: the log is in the main directory, whatever folder is named
        log_file=Path(settings.text("cg.inverse.log_file") or "inverse.log").name,
        cleanlist=reader.inside("cleanlist"),
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
    return PairTasks(
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
