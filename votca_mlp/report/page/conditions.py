"""What was run, in words and tables."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from votca_mlp.models.load import BUILTIN
from votca_mlp.processes import in_words
from votca_mlp.report.page import markup
from votca_mlp.report.page.inputs import NAME as INPUTS
from votca_mlp.report.page.inputs import inputs_archive
from votca_mlp.report.page.recorded import Recorded
from votca_mlp.units import KB_EV_PER_K, KJMOL_PER_EV

_MD = {
    "ensemble": "",
    "temperature": "K",
    "pressure": "bar",
    "timestep": "fs",
    "first_equilibration": "fs",
    "equilibration": "fs",
    "production": "fs",
    "sample_every": "fs",
    "thermostat_time": "fs",
    "barostat_time": "fs",
    "seed": "",
}
_BY_FILES = ("lammps", "gromacs")
"""Engines whose simulation is described by files of their own."""
_RULES = {"wibi": "weighted iterative Boltzmann inversion", "gauss_newton": "Gauss-Newton"}


def described_run(run: Recorded) -> list[str]:
    """Return the parts of the section about what was run."""
    return [
        *(markup.paragraph(note, "note") for note in run.notes),
        markup.facts(_facts(run)),
        _states(run),
        _interactions(run),
        markup.folded("Versions", markup.facts(run.versions.items())) if run.versions else "",
        _digests(run),
    ]


def _facts(run: Recorded) -> Iterator[tuple[str, str]]:
    yield from _model(run.model)
    rule = _rule(run.settings)
    yield "Update rule", _RULES.get(rule, rule)
    if not run.states:
        for _, atoms in run.atoms.items():
            yield "Atoms", str(atoms)
        yield from _simulation(run.settings)
    if run.settings:
        own = "votca-mlp inverse" if run.text else "votca_mlp.correct (Python)"
        yield "Loop", "csg_inverse" if run.by_csg else own
    yield "Last started", run.started
    yield "Wall time of that start", "" if run.seconds is None else in_words(run.seconds)


def _model(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Model", str(model.get("name") or model.get("calculator") or model.get("kind", ""))
    yield "Kind of model", str(model.get("kind", ""))
    if model.get("arguments"):
        yield "Arguments", _plain(model["arguments"])
    for tag in ("level", "members"):
        yield tag.capitalize(), _plain(model.get(tag))
    sums = model.get("sha256")
    if isinstance(sums, str):
        yield "SHA-256 of the model", f"{sums[:12]}..."
    elif sums:
        yield "Files of the model", str(len(sums))


def _rule(settings: Mapping[str, Any]) -> str:
    said = settings.get("rule") or settings.get("python", {}).get("rule") or ""
    return str(next(iter(said), "")) if isinstance(said, Mapping) else str(said)


def _simulation(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    program = settings.get("program")
    section = settings.get(program) if program else settings.get("python", {}).get("md")
    yield "Engine", str(program or "")
    if program in _BY_FILES and settings.get("kBT"):
        yield "Temperature", f"{_kelvin(settings):g} K"
    held = (section or {}).get("ensemble") not in (None, "npt")
    for name, unit in _MD.items():
        value = (section or {}).get(name)
        # a default that nothing uses at constant volume
        if value is not None and not (held and name in ("pressure", "barostat_time")):
            yield name.replace("_", " ").capitalize(), f"{_plain(value)} {unit}".strip()
    density = settings.get("target_density")
    if density:
        sigma = f" +- {density['sigma']:g}" if density.get("sigma") else ""
        yield "Measured density", f"{density['value']:g}{sigma} kg/m3"


def _kelvin(settings: Mapping[str, Any]) -> float:
    """Return the temperature of kBT (kJ/mol), K."""
    return round(float(settings["kBT"]) / (KB_EV_PER_K * KJMOL_PER_EV), 2)


def temperature_of(settings: Mapping[str, Any]) -> float | None:
    """Return the temperature of a run of one state, K; None where it is not known."""
    section = settings.get(settings.get("program", "")) or {}
    md = settings.get("python", {}).get("md", section)
    if isinstance(md.get("temperature"), int | float):
        return float(md["temperature"])
    return _kelvin(settings) if isinstance(settings.get("kBT"), int | float) else None


def _states(run: Recorded) -> str:
    if not run.states:
        return ""
    columns = {name: dict(_simulation(settings)) for name, settings in run.states.items()}
    for name, column in columns.items():
        if name in run.atoms:
            column["Atoms"] = str(run.atoms[name])
    quantities = dict.fromkeys(quantity for column in columns.values() for quantity in column)
    rows = [["", *columns]]
    rows += [
        [quantity, *(column.get(quantity, "") for column in columns.values())] for quantity in quantities
    ]
    return markup.table(rows, "The states")


def _interactions(run: Recorded) -> str:
    """Return the table of interactions: species, grid, target, options of the rule."""
    known = run.settings.get("interactions")
    if not isinstance(known, list):
        return ""
    rule = _rule(run.settings)
    rows = [["Interaction", "species", "r [nm]", "target", "options of the rule"]]
    for pair in known:
        options = ", ".join(f"{k} {_plain(v)}" for k, v in (pair.get(rule) or {}).items() if v is not None)
        grid = f"{pair.get('min', 0):g} to {pair.get('max', 0):g}, step {pair.get('step', 0):g}"
        species = f"{pair.get('type1', '')}, {pair.get('type2', '')}"
        rows.append([str(pair.get("name", "")), species, grid, str(pair.get("target") or "none"), options])
    return markup.table(rows, "Interactions and their targets")


def _digests(run: Recorded) -> str:
    sums = run.model.get("sha256")
    of_model = dict(sums) if isinstance(sums, Mapping) else {"the model": sums} if sums else {}
    rows = [[name, sha] for name, sha in {**run.files, **of_model}.items()]
    if not rows:
        return ""
    return markup.folded(
        "Input files", markup.table([["File", "SHA-256"], *rows], "Digests of the input files")
    )


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_plain(item)}" for name, item in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(_plain(item) for item in value)
    return str(value)


def repeated(run: Recorded) -> list[str]:
    """Return the parts of the section about how to repeat the run."""
    if not run.text and not run.settings:
        return []
    if not run.text:
        return [
            markup.paragraph("The run was made from Python (votca_mlp.correct); these are its arguments."),
            markup.as_is(_as_yaml(run.settings)),
        ]
    files = {"settings.xml": "", **run.files, **_own_model(run)}
    archive, kept, missing = inputs_archive(run.directory, files)
    version = run.versions.get("votca-mlp", "")
    start = "csg_inverse --options settings.xml" if run.by_csg else "votca-mlp inverse --options settings.xml"
    lines = [
        f"# votca-mlp {version}".rstrip() + ", in an empty folder",
        *([f"tar -xzf {INPUTS}"] if kept else []),
        "votca-mlp check settings.xml --deep",
        start,
        "votca-mlp status",
        "votca-mlp report",
    ]
    same = (
        "On the same machine and versions the engine ase repeats the numbers; elsewhere, and with other "
        "engines, simulations differ within their errors."
    )
    lacking = "".join(f"; not in it, {why}: {name}" for name, why in missing.items())
    model = str(run.model.get("name") or "")
    if model and not model.startswith(BUILTIN) and model not in {*kept, *missing}:
        lacking += f"; the model is not in it: {model.rstrip('/').rpartition('/')[2]}"
    xml = markup.folded("settings.xml", markup.as_is(run.text))
    # what the other engines simulate, and the seed, stands in their own files
    for name in kept:
        if name.endswith((".mdp", ".lmp")) or Path(name).name.startswith("in."):
            content = (run.directory / name).read_text(encoding="utf-8", errors="replace")
            xml += markup.folded(name, markup.as_is(content))
    link = [f'<p class="links">{markup.download(INPUTS, archive)}</p>'] if kept else []
    holds = markup.paragraph(f"It holds {', '.join(kept) or 'nothing'}{lacking}.", "note")
    return [*link, holds, markup.commands(lines), markup.paragraph(same), xml]


def _own_model(run: Recorded) -> dict[str, str]:
    """Return the model's file, or the module of its calculator, where it lies in the run's folder."""
    name, calculator = str(run.model.get("name") or ""), str(run.model.get("calculator") or "")
    module = calculator.partition(":")[0].replace(".", "/") + ".py"
    sha = run.model.get("sha256")
    found = {name: sha if isinstance(sha, str) else "", module: ""}
    return {
        file: known
        for file, known in found.items()
        if file and not Path(file).is_absolute() and (run.directory / file).is_file()
    }


def _as_yaml(settings: Mapping[str, Any]) -> str:
    import yaml

    dumped: str = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
    return dumped
