"""What a model is, in digests: of its settings and of what its files hold."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.files import sha256_of
from votca_mlp.models.arguments import code_digest

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings


def model_file(mlp: "MLPSettings", main_directory: Path) -> Path | None:
    """Return the file or folder of the model; None for a kind without one.

    Raises
    ------
    UserError
        See :func:`votca_mlp.models.load.model_path`.
    """
    from votca_mlp.models.kind import model_kind
    from votca_mlp.models.load import model_path

    return model_path(mlp.model, main_directory) if model_kind(mlp.kind).has_file and mlp.model else None


def model_digest(mlp: "MLPSettings", main_directory: Path) -> str | None:
    """Return the digest of the model's file, or of the module and files of a calculator; None without any.

    Raises
    ------
    UserError
        As :func:`model_file`.
    """
    path = model_file(mlp, main_directory)
    return code_digest(mlp, main_directory) if path is None else sha256_of(path)


def potential_identity(mlp: "MLPSettings", main_directory: Path) -> str:
    """Return a digest of kind, committee, code, arguments and the content of files.

    Not of paths, device, threads and precision: it is equal for models that are the same potential. Files of
    corrections have it.

    Raises
    ------
    UserError
        The model's file is not there.
    """
    from votca_mlp.models.options import later_facts

    facts = mlp.model_dump(include={"kind", "members", "calculator", "arguments"}, mode="json")
    facts |= later_facts(mlp)
    facts["sha256"] = model_digest(mlp, main_directory)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def model_identity(mlp: "MLPSettings", main_directory: Path) -> str:
    """Return a digest of the model's settings and files: a checkpoint of another model is refused.

    Runs have it; with the precision, but for what is free (:data:`votca_mlp.models.options.FREE`).

    Raises
    ------
    UserError
        A model that is not there.
    """
    from votca_mlp.models.options import potential_facts

    found = hashlib.sha256(json.dumps(potential_facts(mlp), sort_keys=True).encode())
    path = model_file(mlp, main_directory)
    if path is None:
        found.update((model_digest(mlp, main_directory) or "").encode())
        return found.hexdigest()[:16]
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            found.update(file.name.encode())
            found.update(bytes.fromhex(sha256_of(file)))
    return found.hexdigest()[:16]
