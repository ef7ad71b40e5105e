"""A cheap liquid in two states: the case of the csg_inverse tests with a folder for each."""

import re
import shutil
from pathlib import Path

from tests.csg.case import edit, make_case
from votca_mlp.units import kbt_kjmol

TEMPERATURES = {"cold": 100.0, "hot": 140.0}
SHORT = {
    "<first_equilibration>400": "<first_equilibration>40",
    "<checkpoint_every>400": "<checkpoint_every>80",
}


def make_states(
    directory: Path,
    symbols: tuple[str, ...] = ("Ar",),
    *,
    multistate: str = "",
    iterations: int = 1,
    production: int = 160,
    **more: str,
) -> Path:
    """Write a main directory with the states cold and hot; the target of cold has a higher peak.

    An iteration takes a fraction of a second for each state.
    """
    main = make_case(directory, symbols, iterations=iterations, production=production, **more)
    edit(main / "settings.xml", {**SHORT, "<mlp>": states_tag(multistate) + "<mlp>"})
    for name in TEMPERATURES:
        (main / name).mkdir()
        for target in main.glob("*.dist.tgt"):
            text = target.read_text()
            (main / name / target.name).write_text(text if name == "hot" else higher(text))
    for target in main.glob("*.dist.tgt"):
        target.unlink()
    return main


def split_into_states(main: Path, script: str) -> None:
    """Make two states of a main directory at 120 K whose engine reads ``script``: a script a state."""
    settings = main / "settings.xml"
    names = re.findall(r"<filelist>(.*?)</filelist>", settings.read_text())[0]
    shared = " ".join(name for name in names.split() if name != script)
    edit(settings, {"<mlp>": f"{states_tag()}<mlp>", f"<filelist>{names}<": f"<filelist>{shared}<"})
    text, targets = (main / script).read_text(), list(main.glob("*.dist.tgt"))
    for name, temperature in TEMPERATURES.items():
        (main / name).mkdir()
        for target in targets:
            shutil.copy(target, main / name)
        (main / name / script).write_text(re.sub(r"\b120\b", f"{temperature:g}", text))
        own = f"<cg><inverse><filelist>{names}</filelist></inverse></cg>"
        (main / name / "settings.xml").write_text(own)
    for path in (*targets, main / script):
        path.unlink()


def states_tag(more: str = "") -> str:
    """Return the section of settings.xml that names the states."""
    kBTs = " ".join(f"{kbt_kjmol(t):.8g}" for t in TEMPERATURES.values())
    return (
        f"<multistate><enabled>yes</enabled><state_names>{' '.join(TEMPERATURES)}</state_names>"
        f"<state_kBTs>{kBTs}</state_kBTs>{more}</multistate>"
    )


def higher(text: str, factor: float = 1.3) -> str:
    """Return a target whose deviations from 1 above 1 are larger by a factor."""
    rows = [line.split() for line in text.splitlines()]
    return "".join(
        f"{r} {1 + max(float(g) - 1, 0) * factor + min(float(g) - 1, 0):.10f} {f}\n" for r, g, f in rows
    )
