"""The reader of NeuroChem files: what was written comes back, and every bad file is named."""

import contextlib
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.ani.neurochem_files import pack, write_model
from votca_mlp.errors import UserError
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.models.ani.nnf import read_nnf

NETWORK = Path("train0/networks/ANN-Al.nnf")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def text_of(path: Path) -> str:
    import bz2

    return bz2.decompress(path.read_bytes().split(b"=\n", 1)[1]).decode()


def test_reads_what_was_written(model: Path) -> None:
    read = read_neurochem(model)
    assert read.constants.symbols == ("Al",)
    assert read.constants.size == 12 + 5 * 3
    assert read.constants.radial_cutoff == 5.4
    assert read.constants.zeta == 14.1
    assert read.self_energies == {"Al": -1.25}
    assert [member["Al"].sizes for member in read.members] == [(27, 16, 8, 1)] * 2
    raw = np.fromfile(model / f"{NETWORK}-l2.wparam", "<f4").reshape(8, 16)
    assert np.array_equal(read.members[0]["Al"].weights[1], raw)


def test_members_by_number(model: Path) -> None:
    every, second = read_neurochem(model), read_neurochem(model, (1,))
    assert len(second.members) == 1
    assert np.array_equal(second.members[0]["Al"].weights[0], every.members[1]["Al"].weights[0])


def test_info_file(model: Path) -> None:
    info = model.parent / "model.info"
    info.write_text("model/constants.params\nmodel/sae_linfit.dat\nmodel/train\n2\n")
    read, folder = read_neurochem(info), read_neurochem(model)
    assert read.constants == folder.constants
    assert len(read.members) == 2
    info.write_text("model/constants.params\n")
    with pytest.raises(UserError, match=r"model\.info: not a NeuroChem"):
        read_neurochem(info)


def test_aluminium_files(data_dir: Path) -> None:
    read = read_neurochem(data_dir / "ani-al" / "model-Al-75")
    assert len(read.members) == 8
    assert read.members[0]["Al"].sizes == (96, 96, 96, 64, 1)
    assert read.constants.size == 96


@pytest.mark.parametrize("members", [(2,), (), (0, 0), (-1,)])
def test_members_that_do_not_exist(model: Path, members: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="accepted: all, or of 0 1"):
        read_neurochem(model, members)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (NETWORK, b"", "does not begin with a length"),
        (NETWORK, b"PK\x03\x04 a pickle", "does not begin with a length"),
        (NETWORK, b"12=\nnot bz2 data", "not bz2"),
        (NETWORK, pack("inputsize=27;", length=4), "13 bytes of text where its first line says 4"),
        (NETWORK, pack("inputsize=27;"), "no complete list of layers"),
        (NETWORK, pack("inputsize=27;\nlayer [\nnodes=4;"), "no complete list of layers"),
        (NETWORK, pack("x" * (3 << 20)), "truncated or too long"),
        (f"{NETWORK}-l1.wparam", b"\0" * 12, "has 12 bytes"),
        (f"{NETWORK}-l1.bparam", b"\0\0\xc0\x7f" * 16, "not finite"),
        ("constants.params", b"Rcr = seven\n", "constants.params: 'Atyp' is missing"),
        ("constants.params", b"Rcr = 7\nRca = 8\nAtyp = [Al]\n", "Rca is beyond Rcr"),
        ("constants.params", b"Rcr\n", "constants.params:1"),
        ("constants.params", b"Atyp = [Al, Qq]\n", "Al, Qq"),
        ("constants.params", b"\xff\xfe", "not a short ASCII text"),
        ("sae_linfit.dat", b"Al = -1\n", "sae_linfit.dat:1"),
        ("sae_linfit.dat", b"Al,0=__import__('os')\n", "sae_linfit.dat:1: the energy"),
        ("sae_linfit.dat", b"", "no self energy of Al"),
    ],
)
def test_bad_files(model: Path, file: str | Path, content: bytes, message: str) -> None:
    (model / file).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_neurochem(model)
    assert message in str(caught.value)
    assert Path(file).name in str(caught.value)
    assert caught.value.accepted


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("activation=9", "activation=5", "'activation' is 5 where 9 is needed"),
        ("type=0", "type=1", "'type' is 1"),
        ("btchnorm=0", "btchnorm=1", "'btchnorm' is 1"),
        ("nodes=16", "nodes=17", "where the layer's sizes need"),
        ("nodes=16", "nodes=99999999", "99999999 nodes"),
        ("nodes=16;", "", "'nodes' is missing"),
        ("blocksize=16", "blocksize=15", "'blocksize' is 15 where 16 is needed"),
        ("FILE:ANN", "FILE:../ANN", "names no file"),
        ("nodes=16", "nodes=__import__('os').system('true')", "'nodes' is"),
        ("inputsize=27", "inputsize=28", "'blocksize' is 27 where 28 is needed"),
    ],
)
def test_bad_networks(model: Path, old: str, new: str, message: str) -> None:
    text = text_of(model / NETWORK)
    assert old in text
    (model / NETWORK).write_bytes(pack(text.replace(old, new, 1)))
    with pytest.raises(UserError) as caught:
        read_neurochem(model)
    assert message in str(caught.value)
    assert "ANN-Al.nnf" in str(caught.value)


@pytest.mark.parametrize("file", ["constants.params", "sae_linfit.dat", str(NETWORK), f"{NETWORK}-l2.bparam"])
def test_missing_files(model: Path, file: str) -> None:
    (model / file).unlink()
    with pytest.raises(UserError) as caught:
        read_neurochem(model)
    assert str(model) in str(caught.value)


def test_folder_of_another_kind(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UserError, match=r"accepted: a folder with one \.params file"):
            read_neurochem(path)


@pytest.mark.parametrize(
    "text",
    [
        "inputsize=27;" + "layer[" * 150_000,
        "inputsize=27;\nlayer [" + "x" * 1_000_000 + "\n]",
        "layer" + " " * 1_000_000,
    ],
)
def test_crafted_lines_are_read_at_once(model: Path, text: str) -> None:
    (model / NETWORK).write_bytes(pack(text))
    begin = time.process_time()
    with pytest.raises(UserError, match=r"no complete list|'nodes' is missing"):
        read_neurochem(model)
    assert time.process_time() - begin < 2.0


def test_members_with_other_layers(tmp_path: Path) -> None:
    model = write_model(tmp_path / "a", members=1)
    other = write_model(tmp_path / "b", members=2, sections=4)
    (model / "train1").symlink_to(other / "train1")
    with pytest.raises(UserError, match=r"has 32 inputs where the AEV of constants\.params has 27"):
        read_neurochem(model)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_networks_never_crash(model: Path, data: st.DataObject) -> None:
    good = (model / NETWORK).read_bytes()
    cut = data.draw(st.integers(0, len(good)))
    junk = data.draw(st.binary(max_size=8))
    damaged = model / "train0" / "networks" / "ANN-Al-damaged.nnf"
    damaged.write_bytes(good[:cut] + junk + good[cut + len(junk) :])
    # anything but a UserError fails; what still reads (junk equal to what it replaced) must be whole
    with contextlib.suppress(UserError):
        assert read_nnf(damaged).sizes == (27, 16, 8, 1)
