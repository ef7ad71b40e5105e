"""The small C library between mdrun and the evaluator, built when it is first needed."""

import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.files import cache_folders

SOURCE = Path(__file__).with_name("mlp_kernel.c")
_FLAGS = ("-std=gnu11", "-O2", "-shared", "-fPIC")


def kernel_library() -> Path:
    """Return the library, compiled with ``$CC`` (else cc) into the user's cache and named by its source.

    Raises
    ------
    UserError
        No compiler, a compiler that fails, no place to write.
    """
    try:
        compiler = shlex.split(os.environ.get("CC") or "cc") or ["cc"]
    except ValueError as error:
        accepted = "a command, such as gcc"
        raise UserError(f"{error}", where="environment variable CC", accepted=accepted) from None
    facts = SOURCE.read_bytes() + " ".join((*_FLAGS, os.uname().machine)).encode()
    name = f"mlp_kernel-{hashlib.sha256(facts).hexdigest()[:16]}.so"
    for folder in cache_folders():
        if _is_whole(folder / name):
            return folder / name
    if shutil.which(compiler[0]) is None:
        raise UserError(
            f"there is no C compiler '{compiler[0]}' for the library that mdrun loads",
            where="program gromacs",
            accepted="a C compiler as cc on the PATH or in CC (Debian's package gcc); it is needed once",
        )
    for folder in cache_folders():
        try:
            handle, made = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
        except OSError:
            continue
        os.close(handle)
        try:
            _compile([*compiler, *_FLAGS, "-o", made, str(SOURCE)])
            if not _is_whole(Path(made)):
                raise UserError(
                    "the library that mdrun loads came out empty or cut short",
                    where=folder / name,
                    accepted="free space there, a C compiler that makes shared libraries",
                )
            os.chmod(made, 0o755)
            os.replace(made, folder / name)
        finally:
            Path(made).unlink(missing_ok=True)
        return folder / name
    raise UserError(
        "cannot write the library that mdrun loads",
        accepted="a writable XDG_CACHE_HOME, home or TMPDIR folder",
    )


def _is_whole(path: Path) -> bool:
    """Return whether a library is there and not cut short (by a full disk, a copy that broke off)."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    if not data.startswith(b"\x7fELF\x02\x01"):
        # macOS has another form; on Linux it would be damaged
        return bool(data) and sys.platform != "linux"
    # the table of sections ends a file of the linker's
    (begin,) = struct.unpack_from("<Q", data.ljust(64, b"\0"), 40)
    size, number = struct.unpack_from("<HH", data.ljust(64, b"\0"), 58)
    return 0 < int(begin + size * number) <= len(data)


def _compile(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        failed, words = done.returncode != 0, done.stderr.strip()
    except (OSError, subprocess.SubprocessError) as error:
        failed, words = True, str(error)
    if failed:
        raise UserError(
            f"the C compiler failed: {' '.join(words.splitlines()[:1])}",
            where=" ".join(command[:-1]),
            accepted="a C compiler that makes shared libraries, as cc on the PATH or in CC",
        )
