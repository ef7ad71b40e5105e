"""What is wrong with the options of VOTCA's pressure correction; both loops obey them."""

from collections.abc import Iterator

from votca_mlp.plain import number_of
from votca_mlp.settings.document import Node
from votca_mlp.settings.problems import Problem

_SECTION = "post_update_options.pressure"


def pressure_problems(inverse: Node, *, wanted: bool, barostat: bool) -> Iterator[Problem]:
    """Yield what is wrong with the options of an interaction whose post_update names ``pressure``.

    Parameters
    ----------
    inverse
        The interaction's section.
    wanted
        Something outside it says what pressure or density is wanted, or each state does.
    barostat
        The pressure is held, and no density is given.
    """

    def text(path: str) -> str:
        found = inverse.deepest(path)
        return " ".join(found.text.split()) if found.path == f"{inverse.path}.{path}" else ""

    def problem(path: str, what: str, accepted: str) -> Problem:
        return Problem(inverse.deepest(path).line, f"{inverse.path}.{path}", what, accepted)

    if barostat:
        accepted = "<target_density>, or the ensemble nvt"
        yield problem("post_update", "names pressure, and the barostat of an npt run holds it", accepted)
    elif not (wanted or text("p_target")):
        accepted = "<p_target> or <target_pressure> (bar); at constant pressure <target_density>"
        yield problem("p_target", "is missing: what is the pressure to be?", accepted)
    kind = text(f"{_SECTION}.type") or "simple"
    if kind not in ("simple", "wjk"):
        yield problem(f"{_SECTION}.type", f"is '{kind[:80]}'", "simple | wjk")
    elif kind == "simple" and not text(f"{_SECTION}.simple.scale"):
        yield problem(f"{_SECTION}.simple.scale", "is missing", "a number > 0 (1/bar), such as 0.0003")
    for tag in (f"{_SECTION}.{kind}.scale", f"{_SECTION}.{kind}.max_A", "particle_dens", "p_target"):
        given, least = text(tag), -1e9 if tag == "p_target" else 0.0
        if given and not least < _number(given) < 1e9:
            accepted = "a number (bar)" if tag == "p_target" else "a number > 0"
            yield problem(tag, f"is '{given[:80]}'", accepted)
    if any(word not in ("0", "1") for word in text(f"{_SECTION}.do").split()):
        yield problem(f"{_SECTION}.do", f"is '{text(f'{_SECTION}.do')[:80]}'", "0 and 1 separated by spaces")


def _number(text: str) -> float:
    try:
        return number_of(text)
    except ValueError:
        return float("nan")
