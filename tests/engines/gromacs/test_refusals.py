"""A GROMACS or settings that cannot do it: one message, before anything runs."""

import os
import stat
from pathlib import Path

import pytest

from tests.csg.case import edit, write_target
from tests.engines.gromacs.case import MDP, make_case, prepare, run
from votca_mlp.cli.check import starts
from votca_mlp.engines.gromacs.binary import probe
from votca_mlp.engines.gromacs.kernel import kernel_library
from votca_mlp.engines.gromacs.mdp import changed_mdp, read_mdp
from votca_mlp.engines.gromacs.plan import make_plan
from votca_mlp.engines.gromacs.step import check_engine
from votca_mlp.errors import UserError
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan


def pretend(path: Path, *lines: str, mdrun: str = "-s -o -plumed") -> str:
    """Write a program that answers as a gmx of another build does; nothing else of GROMACS is in it."""
    text = "\n".join(lines)
    path.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && cat <<E\n{text}\nE\n[ $1 = help ] && echo '{mdrun}'\nexit 0\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


OLD = ("GROMACS version:    2022.5-Debian_2022.5_2", "MPI library:        thread_mpi")
NEW = ("GROMACS version:     2025.4", "MPI library:         thread_mpi")
TORCH = (
    "GROMACS version:     2026.1",
    "Torch support:       enabled (version 2.7.0)",
    "Plumed support:      disabled",
)


@pytest.mark.parametrize(
    ("lines", "mdrun", "message"),
    [
        (OLD, "-s -o", r"GROMACS 2022.5-Debian_2022.5_2 .* is too old"),
        (NEW, "-s -o", r"GROMACS 2025.4 .* has neither a PLUMED slot nor LibTorch"),
        ((), "", r"does not say its version"),
    ],
)
def test_an_unsuitable_gromacs_is_refused(
    tmp_path: Path, lines: tuple[str, ...], mdrun: str, message: str
) -> None:
    gmx = pretend(tmp_path / "gmx", *lines, mdrun=mdrun)
    settings = load_settings(make_case(tmp_path / "main", gmx=gmx) / "settings.xml")
    with pytest.raises(UserError, match=message) as error:
        check_engine(md_plan(settings))
    assert "GROMACS 2025 or later with a PLUMED slot" in str(error.value)


def test_the_systems_old_gromacs_is_refused(tmp_path: Path) -> None:
    if not Path("/usr/bin/gmx").is_file():
        pytest.skip("no /usr/bin/gmx")
    settings = load_settings(make_case(tmp_path / "main", gmx="/usr/bin/gmx") / "settings.xml")
    if probe(md_plan(settings)).year >= 2025:
        pytest.skip("the system's GROMACS is recent")
    with pytest.raises(UserError, match="is too old"):
        check_engine(md_plan(settings))


def test_a_gromacs_that_is_not_there(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", gmx="/no/such/gmx")
    with pytest.raises(UserError, match=r"cannot run '/no/such/gmx --version': No such file") as error:
        check_engine(md_plan(load_settings(main / "settings.xml")))
    assert "settings.xml:" in str(error.value)
    assert "cg.inverse.gromacs.grompp.bin" in str(error.value)


def test_nnpot_at_constant_pressure_is_refused(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *TORCH, mdrun="-s -o"))
    settings = load_settings(main / "settings.xml")
    with pytest.raises(UserError, match=r"pcoupl is C-rescale, but NNPot adds no virial"):
        check_engine(md_plan(settings))
    edit(main / "grompp.mdp", {"pcoupl = C-rescale": "pcoupl = no"})
    with pytest.raises(UserError, match="does not load the model through NNPot") as error:
        check_engine(md_plan(settings))
    lines = str(error.value).partition("these lines in it:\n")[2]
    (main / "grompp.mdp").write_text((main / "grompp.mdp").read_text() + lines)
    assert "through NNPot, constant volume" in str(check_engine(md_plan(settings)))


def test_nnpot_asked_of_a_gromacs_without_it(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *NEW, "Torch support: disabled"))
    (main / "grompp.mdp").write_text(MDP + "nnpot_active = yes\n")
    with pytest.raises(UserError, match=r"nnpot-active is set, but GROMACS 2025.4 .* not linked to LibTorch"):
        check_engine(md_plan(load_settings(main / "settings.xml")))


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UserError, match="there is no C compiler 'no-such-compiler'"):
        kernel_library()
    monkeypatch.setenv("CC", "false")
    with pytest.raises(UserError, match="the C compiler failed"):
        kernel_library()
    assert not list((tmp_path / "cache/votca-mlp").iterdir())
    monkeypatch.delenv("CC")
    made = kernel_library()
    assert made.parent == tmp_path / "cache/votca-mlp"
    # once built, no compiler is needed
    monkeypatch.setenv("CC", "no-such-compiler")
    assert kernel_library() == made
    whole = made.read_bytes()
    # what a full disk leaves is built again, not loaded
    for left in (b"", whole[:10], whole[:-100]):
        made.write_bytes(left)
        monkeypatch.setenv("CC", "no-such-compiler")
        with pytest.raises(UserError, match="there is no C compiler"):
            kernel_library()
        monkeypatch.delenv("CC")
        assert kernel_library().stat().st_size == len(whole)
    monkeypatch.setenv("CC", "true")
    made.unlink()
    with pytest.raises(UserError, match="the library that mdrun loads came out empty"):
        kernel_library()


def annealing(kind: str, times: str, temperatures: str) -> dict[str, str]:
    """Return the change of the mdp file that lets the temperature follow two points (ps, K)."""
    lines = ["integrator = md", f"annealing = {kind}", "annealing-npoints = 2"]
    lines += [f"annealing-temp = {temperatures}", f"annealing-time = {times}"]
    return {"integrator = md": "\n".join(lines)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings.xml": {"</command>": "</command><opts>-ntmpi 4</opts>"}}, "asks for 4 thread-MPI ranks"),
        ({"settings.xml": {"</command>": "</command><opts>-plumed x.dat</opts>"}}, "has -plumed"),
        ({"settings.xml": {"</command>": "</command><multidir>a b</multidir>"}}, "is not possible"),
        ({"settings.xml": {" grompp</bin>": "</bin>"}}, "accepted: the gmx program and 'grompp'"),
        ({"grompp.mdp": {"ref-t = 120": "ref-t = 1200"}}, r"ref-t is 1200 K .* but kBT is 0.99774"),
        ({"grompp.mdp": {"nsteps = 200": "nsteps = 40"}}, r"grompp.mdp:4: 0 frames are left of 5"),
        ({"grompp.mdp": {"nstxout-compressed = 10": ""}}, r"grompp.mdp: nstxout-compressed is 0"),
        ({"grompp.mdp": {"dt = 0.004": "dt = fast"}}, r"grompp.mdp:2: dt is 'fast'"),
        ({"grompp.mdp": {"v-rescale": "no"}}, r"grompp.mdp:13: tcoupl is no: without a thermostat"),
        ({"grompp.mdp": {"tcoupl = v-rescale": ""}}, r"grompp.mdp: tcoupl is no: .* holds kBT, 120 K"),
        ({"grompp.mdp": {"tau-t = 0.2": "tau-t = -1"}}, r"grompp.mdp:15: tau-t is -1 for System"),
        ({"grompp.mdp": {"= md": "= steep"}}, r"grompp.mdp:1: integrator is steep, which is no molecular"),
        ({"grompp.mdp": {"= md": "= md\nsimulated_tempering = yes"}}, r"grompp.mdp:2: simulated-tempering"),
        (
            {"grompp.mdp": annealing("single", "0 0.4", "120 300")},
            r"grompp.mdp:4: annealing \(single\) brings the production to 210 K .* but kBT is 0.99774",
        ),
        ({"grompp.mdp": annealing("periodic", "0 0.1", "300 120")}, r"\(periodic\) .* to 300 K"),
        ({"grompp.mdp": {"= md": "= md\nannealing = single"}}, r"grompp.mdp:2: annealing is single, without"),
        ({"grompp.mdp": {"dt = 0.004": "dt"}}, r"grompp.mdp:2: 'dt' has no '='"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, changes: dict[str, dict[str, str]], message: str) -> None:
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *NEW))
    for name, change in changes.items():
        edit(main / name, change)
    with pytest.raises(UserError, match=message):
        check_engine(md_plan(load_settings(main / "settings.xml")))


@pytest.mark.parametrize(
    "changes",
    [
        annealing("single", "0 0.2", "300 120"),
        {**annealing("single", "0 0.1", "300 120"), "ref-t = 120": "ref-t = 300"},
        {"= md": "= sd", "tcoupl = v-rescale": ""},
    ],
)
def test_a_temperature_that_is_there_when_frames_count(tmp_path: Path, changes: dict[str, str]) -> None:
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *NEW))
    edit(main / "grompp.mdp", changes)
    check_engine(md_plan(load_settings(main / "settings.xml")))


def test_temp_check_no(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *NEW))
    edit(main / "grompp.mdp", {"v-rescale": "no"})
    edit(main / "settings.xml", {"<equi_time>": "<temp_check>no</temp_check><equi_time>"})
    check_engine(md_plan(load_settings(main / "settings.xml")))


def test_grompp_is_asked_before_anything_runs(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    starts(load_settings(main / "settings.xml"))
    edit(main / "grompp.mdp", {"nstlist = 10": "nstlist = 10\nrcolomb = 1"})
    edit(main / "settings.xml", {" grompp</bin></grompp>": " grompp</bin><opts>-maxwarn 0</opts></grompp>"})
    found = load_settings(main / "settings.xml")
    with pytest.raises(
        UserError, match=r"grompp.mdp: grompp refuses the inputs: .*rcolomb.*warnings"
    ) as error:
        starts(found)
    assert "accepted: grompp.mdp, topol.top and conf.gro as '" in str(error.value)
    edit(main / "topol.top", {"[ moleculetype ]": "[ moleculetipe ]"})
    with pytest.raises(UserError, match=r"grompp refuses the inputs: .*File topol.top, line 7"):
        starts(found)


def test_a_device_that_is_missing(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    main = make_case(tmp_path / "main", gmx=pretend(tmp_path / "gmx", *NEW))
    text = (main / "settings.xml").read_text()
    begin, end = text.index("<mlp>"), text.index("</mlp>")
    model = "<mlp><kind>hippynn</kind><model>builtin:al-hipnn</model><device>cuda</device>"
    (main / "settings.xml").write_text(text[:begin] + model + text[end:])
    with pytest.raises(UserError, match="device 'cuda': no such CUDA device here"):
        starts(load_settings(main / "settings.xml"))


def test_a_box_too_small_and_atoms_in_another_order(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", ("Ar", "Kr"), gmx=pretend(tmp_path / "gmx", *NEW))
    text = (main / "topol.xml").read_text()
    (main / "topol.xml").write_text(
        text.replace('type="Ar"', 'type="?"').replace("Kr", "Ar").replace("?", "Kr")
    )
    settings, step = prepare(main)
    with pytest.raises(UserError, match="atom 1 is Ar in the configuration and bead type Kr"):
        run(settings, step)
    small = make_case(tmp_path / "small", gmx=pretend(tmp_path / "gmx", *NEW))
    edit(small / "settings.xml", {"<max>0.8</max>": "<max>1.2</max>"})
    write_target(small / "Ar-Ar.dist.tgt", 0.34)
    settings, step = prepare(small)
    with pytest.raises(UserError, match=r"half the box is 8.55 Angstrom, not more than .* 12.00 Angstrom"):
        run(settings, step)


def test_mdp_names_as_grompp_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "a.mdp"
    file.write_text("; all\nRef_T = 300 ; K\n\n nstxout-compressed=5\n")
    assert read_mdp(file) == {"ref-t": "300", "nstxout-compressed": "5"}
    file.write_text(changed_mdp(file, {"ref-t": "10", "nsteps": "0"}))
    assert read_mdp(file) == {"ref-t": "10", "nstxout-compressed": "5", "nsteps": "0"}


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("pcoupl = C-rescale\npcoupltype = anisotropic\ncompressibility = 1e-5 1e-5 1e-5 0 0 1e-6\n", "comp"),
        ("deform = 0 0 0 1e-4 0 0\n", "deform"),
    ],
)
def test_what_would_tilt_the_box(tmp_path: Path, lines: str, name: str) -> None:
    gmx = pretend(tmp_path / "gmx", *NEW)
    main = make_case(tmp_path / "main", gmx=gmx)
    file = main / "grompp.mdp"
    own = [line for line in file.read_text().splitlines() if not line.startswith(("pcoupl", "compress"))]
    file.write_text("\n".join([*own, lines]))
    with pytest.raises(UserError, match=rf"grompp\.mdp:\d+: {name}.*, which tilts the box"):
        make_plan(md_plan(load_settings(main / "settings.xml")), file)


def test_frames_are_those_that_csg_stat_counts(tmp_path: Path) -> None:
    gmx = pretend(tmp_path / "gmx", *NEW)
    main = make_case(tmp_path / "main", gmx=gmx)
    plan = make_plan(md_plan(load_settings(main / "settings.xml")), main / "grompp.mdp")
    assert (plan.frames, plan.steps, plan.timestep, plan.constant_volume) == (16, 200, 4.0, False)
    assert os.access(gmx, os.X_OK)
