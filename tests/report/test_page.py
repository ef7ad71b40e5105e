"""The page of a run: complete, on its own, true to the files; test_browser.py is about its look."""

import base64
import io
import json
import re
import shutil
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.report.runs import make_run, quickstart_run
from tests.report.test_scattering import step as scattering_step
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.report.page.conditions import described_run, repeated, temperature_of
from votca_mlp.report.page.inputs import inputs_archive
from votca_mlp.report.page.markup import listing, table
from votca_mlp.report.page.page import report_page
from votca_mlp.report.page.recorded import Recorded
from votca_mlp.report.page.traces import read_traces
from votca_mlp.report.status import with_error
from votca_mlp.report.summary import summarise_run
from votca_mlp.runs.reading import read_run

pytest.importorskip("matplotlib")
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
VOID = {"meta", "link", "br", "img", "hr"}


class Reader(HTMLParser):
    """Elements with their attributes, text, and whether all that is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, *tags: str) -> list[tuple[str, dict[str, str | None]]]:
        return [(tag, attributes) for tag, attributes in self.elements if tag in tags]


def page_of(run: Path, *, running: bool | None = False) -> Reader:
    return Reader(report_page(run, running=running, now=NOW))


def saved(page: Reader, name: str) -> bytes:
    """Return what a link of the page saves."""
    links = {a["download"]: a["href"] or "" for _, a in page.all("a")}
    return base64.b64decode(links[name].partition("base64,")[2])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quickstart_run(tmp_path_factory.mktemp("page") / "run")


@pytest.fixture(scope="module")
def written(run: Path) -> str:
    return report_page(run, running=False, now=NOW)


@pytest.fixture(scope="module")
def page(written: str) -> Reader:
    return Reader(written)


def test_needs_nothing_else(page: Reader) -> None:
    """No address but the names of SVG's vocabulary, no script, no machine, user or folder."""
    assert page.all("script", "link", "img", "iframe", "object") == []
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "style"):
            value = attributes.get(name) or ""
            assert not re.search(r"https?:|file:|//", value.split(",")[0]), (name, value[:80])
            assert name != "src" or not value


def test_says_what_the_files_say(run: Path, page: Reader) -> None:
    words = page.words()
    assert "Correction u(r) of al-hipnn: Al-Al at 1023 K" in words
    last = summarise_run(run)[-1]
    assert last.agreement is not None
    assert with_error(last.simulation.density, 1) in words
    assert f"{last.agreement.rms:.4f}" in words
    assert "Al-Al, step 4: g(r)" in words
    assert "measured 2349 ± 8" in words
    # what was run, and how again
    for said in ("builtin:al-hipnn", "weighted iterative", "Ensemble npt", "Seed 1", "csg_inverse --options"):
        assert said in words, said
    # settings.xml as it is
    assert (run / "settings.xml").read_text().strip() in "".join(page.text)
    # the table that counts can be taken out of the page
    data = saved(page, "Al-Al.pot.cur.step4.txt").decode()
    assert np.loadtxt(data.splitlines(), usecols=1) == pytest.approx(
        np.loadtxt(run / "step_004" / "Al-Al.pot.cur", usecols=1)
    )


def test_the_inputs_are_in_the_page(run: Path, page: Reader, tmp_path: Path) -> None:
    """All that the commands need, as it was: but what has changed since, or is elsewhere."""
    with tarfile.open(fileobj=io.BytesIO(saved(page, "inputs.tar.gz"))) as archive:
        # Python before 3.11.4 has no filters
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(tmp_path / "again")
    found = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert found == ["Al-Al.dist.tgt", "conf.extxyz", "settings.xml", "topol.xml"]
    assert all((tmp_path / "again" / name).read_bytes() == (run / name).read_bytes() for name in found)
    assert "tar -xzf inputs.tar.gz" in page.words()
    (tmp_path / "943K").mkdir()
    for name in ("a", "943K/conf.extxyz"):
        (tmp_path / name).write_text("now")
    files = {"a": "0" * 64, "943K/conf.extxyz": "", "../a": "", "b": ""}
    data, kept, missing = inputs_archive(tmp_path, files)
    assert kept == ["943K/conf.extxyz"]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == kept
    assert missing == {
        "a": "has changed since the run",
        "../a": "outside the run's folder",
        "b": "no longer there",
    }


def test_engines_with_files_of_their_own(tmp_path: Path) -> None:
    """Temperature by kBT, their input to read, and the module of the calculator beside the run."""
    for name in ("in.lmp", "fluid.py"):
        (tmp_path / name).write_text(f"seed of {name}")
    run = Recorded(
        tmp_path,
        {"program": "lammps", "kBT": 0.99774},
        model={"kind": "ase", "calculator": "fluid:lj"},
        files={"in.lmp": ""},
        text="<cg/>",
    )
    again = " ".join(repeated(run))
    assert "It holds in.lmp, fluid.py; not in it, no longer there: settings.xml." in again
    assert "seed of in.lmp" in again
    assert "<dt>Temperature</dt><dd>120 K</dd>" in " ".join(described_run(run))
    assert temperature_of(run.settings) == 120.0
    other = replace(run, model={"kind": "ani", "name": "/home/me/ani-al"})
    assert "the model is not in it: ani-al" in " ".join(repeated(other))


def test_stopped_by_an_error(run: Path, tmp_path: Path) -> None:
    """The verdict begins with it, without the machine's folders."""
    own = shutil.copytree(run, tmp_path / "run")
    said = f"UserError: {own}/step_005: step_005: the density is 1 kg/m3 (step_004/Al-Al.pot.cur)"
    (own / "votca_mlp_run.yaml").write_text(json.dumps({"stopped": said}))
    page = report_page(own, running=False, now=NOW)
    words = Reader(page).words()
    assert "stopped by an error. Page made" in words
    assert "Verdict stopped by an error: step_005: the density is 1 kg/m3 (step_004/Al-Al.pot.cur)" in words
    assert str(tmp_path) not in page
    assert "stopped by an error" not in Reader(report_page(own, running=True)).words()


def test_constant_volume(run: Path, tmp_path: Path) -> None:
    """No line of a density that is held, no barostat."""
    own = shutil.copytree(run, tmp_path / "run")
    for number in range(1, 5):
        path = own / f"step_00{number}" / "thermo.dat"
        rows = [line.split() for line in path.read_text().splitlines()]
        column = rows[0].index("density[kg/m3]")
        rows[1:] = [[*row[:column], "2350", *row[column + 1 :]] for row in rows[1:]]
        path.write_text("\n".join(" ".join(row) for row in rows) + "\n")
        facts = json.loads((path.parent / "md_step.json").read_text())
        facts["production"]["density[kg/m3]"] = {"mean": 2350.0, "error": 0.0, "samples": 30}
        (path.parent / "md_step.json").write_text(json.dumps(facts))
    text = (own / "settings.xml").read_text()
    (own / "settings.xml").write_text(text.replace("<ensemble>npt<", "<ensemble>nvt<"))
    page = page_of(own)
    assert len(page.all("svg")) == 7
    said = page.words()
    assert "density 2350.0 kg/m3 (held), measured 2349 ± 8: they agree" in said
    assert "Barostat time" not in said
    assert "Thermostat time" in said


def test_can_be_read_by_all(page: Reader) -> None:
    """Language, one title, headings in order, a name for each picture, captions, unique names."""
    assert page.all("html")[0][1]["lang"] == "en"
    assert next(tag for tag, _ in page.all("h1", "h2", "h3")) == "h1"
    assert len(page.all("h1")) == 1
    pictures = page.all("svg")
    assert len(pictures) == 8
    assert all(a["role"] == "img" and len(a["aria-label"] or "") > 40 for _, a in pictures)
    assert len(page.all("figcaption")) == len(pictures)
    names = [a["id"] for _, a in page.elements if "id" in a]
    assert len(names) == len(set(names))
    used = [re.findall(r"url\(#([^)]+)\)", a.get("clip-path") or "") for _, a in page.elements]
    hrefs = [(a.get("xlink:href") or "").removeprefix("#") for tag, a in page.all("use")]
    assert {name for found in used for name in found} | set(hrefs) <= set(names)
    labelled = [a["aria-labelledby"] for _, a in page.all("section")]
    assert set(labelled) <= set(names)
    assert all(a.get("scope") for _, a in page.all("th"))


def test_the_same_run_gives_the_same_page(run: Path, written: str) -> None:
    assert report_page(run, running=False, now=NOW) == written
    assert len(written.encode()) < 400_000


def test_traces(run: Path) -> None:
    """Equilibration and production are told apart, by the frames; a run without tables has none."""
    traces = read_traces(read_run(run))
    assert list(traces) == ["density[kg/m3]", "temperature[K]", "pressure[bar]"]
    first = traces["density[kg/m3]"][0]
    assert first.production.tolist() == [False] * 10 + [True] * 30
    assert first.mean is not None
    assert first.mean.mean == 2352.1


def test_running_stopped_and_empty(run: Path, tmp_path: Path) -> None:
    own = shutil.copytree(run, tmp_path / "run")
    step = own / "step_005"
    step.mkdir()
    lines = [f"{k} {k} 1000 50 2300" for k in range(12)]
    (step / "thermo.dat").write_text(
        "\n".join(["#step time[fs] temperature[K] pressure[bar] density[kg/m3]", *lines, "1"])
    )
    assert "stopped: interrupted or killed" in page_of(own).words()
    running = page_of(own, running=True).words()
    assert "stopped" not in running.split("Verdict")[0]
    assert "iterations 1 to 5" in running
    # nothing measured yet
    for number in range(1, 5):
        (own / f"step_00{number}" / "Al-Al.dist.new").unlink()
    words = page_of(own).words()
    assert "No g(r) yet" in words
    assert "What was run" in words
    with pytest.raises(UserError, match="no step directories"):
        report_page(tmp_path / "nothing", running=False)


def test_without_any_record(tmp_path: Path) -> None:
    """Tables alone are enough for a page that says what it does not know."""
    words = page_of(make_run(tmp_path / "run", 2)).words()
    assert "what was run with is not known" in words
    assert "To repeat it" not in words


def test_several_interactions_and_scattering(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 2)
    make_run(run, 2, name="Al-Cu")
    for number in (1, 2):
        scattering_step(tmp_path / "q", number, 0.1 / number)
        for path in (tmp_path / "q" / f"step_00{number}").iterdir():
            shutil.copy(path, run / f"step_00{number}")
    page = page_of(run)
    headings = page.words()
    for said in ("Al-Al: g(r) and u(r)", "Al-Cu: g(r) and u(r)", "Measured F(Q)", "data set set0"):
        assert said in headings
    # 2 x 5 of the interactions, F(Q) and its residual, a partial
    assert len(page.all("svg")) == 12
    assert "measured (circles), iterations 1 and 2;" in headings
    for path in (run / "step_002").glob("*.fq"):
        path.unlink()
    assert "measured (circles), iteration 1;" in page_of(run).words()


def test_several_states(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", 2)
    run = tmp_path / "run"
    for number in (1, 2):
        for state in ("943K", "1023K"):
            folder = run / f"step_00{number}" / state
            shutil.copytree(one / f"step_00{number}", folder)
        shutil.copy(one / "step_001" / "Al-Al.pot.new", run / f"step_00{number}")
    words = page_of(run).words()
    assert "Al-Al in 2 states" in words
    assert words.index("943K, Al-Al: g(r)") < words.index("1023K, Al-Al: g(r)")


def test_gauss_newton_and_a_summary(run: Path, tmp_path: Path) -> None:
    """Predictions in a table; what the run recorded counts, and what has changed since is said."""
    own = shutil.copytree(run, tmp_path / "run")
    datum = {
        "chi2": 2.5,
        "rms": 0.03,
        "rms_predicted": 0.02,
        "points": 161,
        "without_errors": False,
        "cannot_be_met": [],
    }
    neutrons = {**datum, "unit": "1", "R": 0.0021, "scale": 1.0, "background": 0.0}
    facts = {
        "": {
            "data": {"Al-Al": datum, "set0": neutrons},
            "chi2": 2.5,
            "chi2_reachable": 1.1,
            "amplitude_eV": 0.1,
            "share": 1.0,
        }
    }
    for number in (1, 2):
        (own / f"step_00{number}" / "gauss_newton.json").write_text(json.dumps(facts))
        (own / f"step_00{number}" / "votca_mlp_step.json").write_text("{}")
    summary = {
        "stopped": "iterations_max 4 is reached",
        "versions": {"votca-mlp": "0.0.9"},
        "host": {"name": "secret-host"},
        "model": {"kind": "ase", "calculator": "a:b", "arguments": {"x": 1.5}, "path": "/home/someone"},
        "files": {"settings.xml": "0" * 64},
        "settings": {"rule": "gauss_newton", "program": "ase", "ase": {"temperature": 900.0, "seed": 7}},
    }
    (own / "votca_mlp_run.yaml").write_text(json.dumps(summary))
    page = report_page(own, running=False, now=NOW)
    words = Reader(page).words()
    assert "2 Al-Al 2.5 rms 0.0300 0.0200" in words
    assert "settings.xml has changed since the run" in words
    assert "at 900 K" in words
    assert "votca-mlp inverse --options" in words
    assert "0.0.9" in words
    assert "set0, step 2: F(Q) has R 0.0021, 0.0021 in step 1; chi2 2.5" in words
    assert "secret-host" not in page
    assert "/home/someone" not in page


def test_checks(run: Path, tmp_path: Path) -> None:
    """Numbers of both side by side, the angles drawn, and the same by status for programs."""
    own = shutil.copytree(run, tmp_path / "run")
    angles = {"degrees": [30, 90, 150], "density": [0.001, 0.004, 0.001], "error": [None, 1e-4, None]}
    facts = {"step": 1, "diffusion": {"mean": 5.12e-9, "error": 2e-10}, "angles": angles, "notes": ["said"]}
    checks = {
        "": {
            "uncorrected": facts,
            "corrected": {**facts, "step": 4, "diffusion": {"mean": 6e-9, "error": None}},
        }
    }
    (own / "checks.json").write_text(json.dumps(checks))
    page = page_of(own)
    assert "diffusion [1e-9 m2/s] 5.12(20) 6.00" in page.words()
    assert "likeliest angle [degrees] 90 90" in page.words()
    assert len(page.all("svg")) == 9
    shown = CliRunner().invoke(app, ["status", str(own)], catch_exceptions=False).output
    assert "5.12(20)" in shown
    assert "corrected: said" in shown
    read = json.loads(CliRunner().invoke(app, ["status", str(own), "--json"], catch_exceptions=False).output)
    assert read["checks"] == checks


def test_the_docs_name_every_key(run: Path) -> None:
    shown = CliRunner().invoke(app, ["status", str(run), "--json"], catch_exceptions=False).output
    read = json.loads(shown)
    row = read["iterations"][0]
    keys = {*read, *row, *row["agreement"], *row["agreement"]["peak"], *row["density"]}
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_names_are_text() -> None:
    """A name of the user's is shown, whatever is in it."""
    assert "<script>" not in table([["a", "<script>"], ["<b>", "x & y"]], "<i>")
    assert (
        listing(["a +- 1 Angstrom", "  below <x>"])
        == "<ul><li>a ± 1 Å<ul><li>below &lt;x&gt;</li></ul></li></ul>"
    )


def test_command(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["report", str(run), "-o", str(page)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    failed = CliRunner().invoke(app, ["report", str(run), "-o", str(tmp_path / "run.pdf")])
    assert "is not a page" in str(failed.exception)
