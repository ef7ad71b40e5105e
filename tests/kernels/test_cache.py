"""numba's cache of compiled functions: nowhere to write, damaged, full; never in the way."""

import errno
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import numba
import pytest
from numba.core import caching

from votca_mlp.kernels import cache

SOURCE = "import numba\n\n\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where numba keeps functions in this test."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(cache, "_said", set())
    cache.guard()
    (tmp_path / "doubling.py").write_text(SOURCE)
    return tmp_path


def doubling(folder: Path) -> ModuleType:
    """Import the module as another process would, with nothing compiled yet."""
    spec = importlib.util.spec_from_file_location("doubling", folder / "doubling.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("damage", [b"", b"\x80", b"\x80\x04K\x01.", b"no pickle at all"])
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_damaged_cache_is_made_anew(folder: Path, damage: bytes, ending: str, capsys) -> None:
    assert doubling(folder).twice(2) == 4
    (file,) = folder.glob(f"kept/*/*.{ending}")
    good = file.read_bytes()
    # numba's version comes first in the index, and says whether the rest is read
    file.write_bytes(damage or good[: len(good) // 2])
    assert doubling(folder).twice(3) == 6
    words = capsys.readouterr().err
    assert words.count("\n") <= 1
    if damage not in (b"\x80\x04K\x01.",):
        assert f"votca-mlp: damaged cache of compiled functions in {file.parent}: made anew" in words
    again = doubling(folder).twice
    assert again(4) == 8
    assert sum(again.stats.cache_hits.values()) == 1
    assert capsys.readouterr().err == ""


def test_a_full_cache_folder_is_told_once_as_what_it_is(folder: Path, monkeypatch, capsys) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    module = doubling(folder)
    assert module.twice(2) == 4
    assert module.twice(2.5) == 5.0
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert f"compiled functions are not kept in {folder / 'kept'}" in words
    assert "No space left on device" in words


def test_a_folder_of_ours_where_numba_has_none(tmp_path: Path, monkeypatch, capsys) -> None:
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache, "_said", set())
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "cache_folders", lambda: [tmp_path])
    cache.find_folder()
    assert "NUMBA_CACHE_DIR" not in os.environ
    monkeypatch.setattr(cache, "_is_writable", lambda folder: False)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/nowhere")
    cache.find_folder()
    assert os.environ["NUMBA_CACHE_DIR"] == numba.config.CACHE_DIR == str(tmp_path / "numba")
    assert f"compiled functions are kept in {tmp_path / 'numba'}\n" in capsys.readouterr().err


def test_what_is_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert cache._is_writable(tmp_path / "a" / "b")
    assert not cache._is_writable(tmp_path / "file" / "b")
    assert not cache._is_writable(Path("/proc/1/nothing"))
