"""Where numba keeps compiled functions, and that a cache which cannot be used is never in the way.

numba keeps them beside the source, else in the user's cache folder, and refuses to compile where neither can
be written; what it reads there it trusts.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from votca_mlp.files import cache_folders
from votca_mlp.processes import is_interrupt

_FOLDER = "NUMBA_CACHE_DIR"
_said: set[str] = set()


def find_folder() -> None:
    """Let numba use a folder of ours where none of its own can be written; before it is loaded."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"
    own = [Path(__file__).parent / "__pycache__", home]
    if os.environ.get(_FOLDER):
        own.append(Path(os.environ[_FOLDER]))
    if any(map(_is_writable, own)):
        return
    with contextlib.suppress(FileNotFoundError):
        # no folder for temporary files either: numba's own words then
        for folder in cache_folders():
            chosen = os.environ[_FOLDER] = str(folder / "numba")
            if "numba" in sys.modules:
                vars(sys.modules["numba"].config)["CACHE_DIR"] = chosen
            _say(
                f"neither {own[0].parent} nor {home} can be written: compiled functions are kept in {chosen}"
            )
            return


def guard() -> None:
    """Let numba compile again what it cannot read from its cache or write there, saying so once a folder."""
    from numba.core import caching

    cache: Any = caching.FunctionCache
    if getattr(cache, "_guarded", False):
        return
    load, save = cache.load_overload, cache.save_overload

    def load_overload(self: Any, *arguments: Any) -> Any:
        try:
            return load(self, *arguments)
        except Exception as error:
            if is_interrupt(error):
                raise
            _say(f"damaged cache of compiled functions in {self.cache_path}: made anew ({_words(error)})")
            try:
                self.flush()
            except OSError:
                self.disable()
            return None

    def save_overload(self: Any, *arguments: Any) -> None:
        try:
            save(self, *arguments)
        except Exception as error:
            # numba reads the old index before it writes the new one
            if is_interrupt(error):
                raise
            _say(f"compiled functions are not kept in {self.cache_path}: {_words(error)}")
            self.disable()

    cache.load_overload, cache.save_overload, cache._guarded = load_overload, save_overload, True


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _words(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__


def _say(words: str) -> None:
    if words not in _said:
        _said.add(words)
        print(f"votca-mlp: {words}", file=sys.stderr, flush=True)
