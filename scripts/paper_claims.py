"""The section of the paper's figures in the whole form: a claim for each run that is at its end."""

from collections.abc import Mapping

from paper_drawings import RUN, WHOLE, case_of
from results_file import Json

LABELS = {"alone": "HIP-NN alone", "wibi": "with wIBI", "gauss_newton": "with Gauss-Newton"}
NAMES = {"wibi": "wIBI", "ibi": "IBI (w = 1)", "gauss_newton": "Gauss-Newton"}


def with_whole_form(sections: list[Json], results: Mapping[str, Json]) -> list[Json]:
    """Return the sections; that of the whole form is left out before it has a run, and filled when it has."""
    return [
        {**section, **_filled(section, results)} if section.get("whole form") else section
        for section in sections
        if not section.get("whole form") or WHOLE in results
    ]


def _filled(section: Json, results: Mapping[str, Json]) -> Json:
    tables = results[WHOLE]["tables"]
    claims = [*section.get("claim", [])]
    for name, row in tables["runs"].items():
        at = f"{WHOLE}.runs[{name}]"
        numbers = f"{{{at}[iterations]}}; {{{at}[rms_before]}} \u2192 {{{at}[rms_after]}}"
        numbers += f"; {{{at}[density_before]}} \u2192 {{{at}[density_after]}} kg/m3"
        if "diffusion_infinite_after" in row:
            numbers += (
                f"; {{{at}[diffusion_infinite_before]}} \u2192 {{{at}[diffusion_infinite_after]}}e-9 m2/s"
            )
        text = f"{_words(row)}: simulations; RMS of g(r); density; D, infinite box"
        claims.append({"text": text, "number": numbers})
    for label, words in LABELS.items():
        if label in tables.get("activation", {}):
            energy = f"{{{WHOLE}.activation[{label}][energy]}} meV"
            claims.append({"text": f"Activation energy of D, {words} (measured: 280(70))", "number": energy})
    for name in tables["statements"]:
        at = f"{WHOLE}.statements[{name}]"
        claims.append(
            {
                "text": f"{{{at}[paper]}} (whole form; short form: {_short(name, results)})",
                "number": f"**{{{at}[verdict]}}**: {{{at}[found]}}",
            }
        )
    why = [f"{found['paper']}: {found['why']}." for found in tables["statements"].values() if found["why"]]
    return {"claim": claims, "remarks": [*section["remarks"], forms(results), *_time(results), *why]}


def _time(results: Mapping[str, Json]) -> list[str]:
    """Return how long a run takes at the rate of its fastest simulation, which is the least disturbed one."""
    rates = [row["rate"] for row in results[WHOLE]["tables"]["runs"].values() if row.get("rate")]
    form = results[RUN]["tables"].get("whole form")
    if not rates or form is None:
        return []
    steps = form["HIP-NN"]["steps"]
    speeds = " to ".join(f"{rate:.0f}" for rate in dict.fromkeys((min(rates), max(rates))))
    ends = sorted({round(steps / rate / 60.0) for rate in (max(rates), min(rates))})
    return [
        f"One thread a run, two runs side by side: at the rate of its fastest simulation "
        f"({speeds} steps/s) a run of {steps:.0f} steps takes {' to '.join(map(str, ends))} minutes, "
        f"six of them on two cores {3.0 * steps / min(rates) / 3600.0:.1f} hours at most."
    ]


def forms(results: Mapping[str, Json]) -> str:
    """Return which runs are the whole form's, and which are there in the short form alone."""
    longer, short = (results[name]["tables"]["runs"] for name in (WHOLE, RUN))
    cases = {case_of(row) for row in longer.values()}
    missing = [_words(row) for row in short.values() if case_of(row) not in cases]
    text = f"Run to the end in the whole form: {', '.join(map(_words, longer.values()))}"
    if not missing:
        return f"{text}; nothing is missing."
    return f"{text} only. In the short form alone, also in the figures: {', '.join(missing)}."


def _words(row: Json) -> str:
    return f"{row['model']} {row['temperature']:g} K {NAMES[row['rule']]}"


def _short(name: str, results: Mapping[str, Json]) -> str:
    found = results[RUN]["tables"]["statements"].get(name)
    return "not judged" if found is None else f"{{{RUN}.statements[{name}][verdict]}}"
