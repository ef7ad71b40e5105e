"""A model by name, or an ASE calculator that exists already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.models.options import MLPSettings

if TYPE_CHECKING:
    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.potentials.correction import PairCorrection

_HELD: dict[str, Any] = {}
"""Calculators of this process by their key: a run names its model, and finds these here."""


def held(key: str) -> Any:
    """Return a calculator that :func:`load_model` was given as an object; only in the process that has it."""
    return _HELD[key]


@dataclass(frozen=True)
class Model:
    """A machine-learning potential: what it is, and where its relative paths start.

    Made by :func:`load_model`. It is loaded, once, when it is first evaluated.
    """

    options: MLPSettings
    directory: Path
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """A short digest of what the potential is, wherever its file lies (:mod:`votca_mlp.models.identity`).

        Raises
        ------
        UserError
            The model's file is not there any more.
        """
        from votca_mlp.models.identity import potential_identity

        return potential_identity(self.options, self.directory)

    @property
    def loaded(self) -> Any:
        """The :class:`votca_mlp.models.contract.PairModel` or the ASE calculator itself.

        Raises
        ------
        UserError
            It cannot be read.
        """
        if not self._loaded:
            from votca_mlp.kernels.threads import set_threads
            from votca_mlp.models.load import load_model as load

            set_threads(self.options.threads)
            self._loaded.append(load(self.options, self.directory))
        return self._loaded[0]

    def evaluator(self, correction: "PairCorrection | None" = None, *, skin: float = 0.5) -> "Evaluator":
        """Return what evaluates the model plus a pair correction; skin of the neighbour list in Angstrom.

        Raises
        ------
        UserError
            The model cannot be read; an unknown device or dtype.
        """
        from votca_mlp.evaluation.load import evaluator_of

        return evaluator_of(self.loaded, self.options, correction, skin)

    def calculator(self) -> "MLPCalculator":
        """Return an ASE calculator of the model alone (eV, Angstrom).

        Raises
        ------
        UserError
            As :meth:`evaluator`.
        """
        from votca_mlp.evaluation.calculator import MLPCalculator

        return MLPCalculator(self.evaluator())


def load_model(
    model: str | Path | Any,
    *,
    kind: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    members: Sequence[int] | None = None,
    device: str = "auto",
    dtype: str = "float32",
    threads: int | None = None,
    trust_pickle: bool = False,
    energy_unit: str | None = None,
    level: str | None = None,
    name: str | None = None,
) -> Model:
    """Return a model.

    Parameters
    ----------
    model
        ``builtin:al-hipnn`` or a path for the kinds ``hippynn`` and ``ani``; ``module:callable`` for the kind
        ``ase``; or an ASE calculator (or a :class:`votca_mlp.models.contract.PairModel`) itself.
    kind
        A kind in the registry of models; ``hippynn`` by default, and ``ase`` for an object.
    arguments
        Of the callable of kind ``ase``.
    members
        Of an ANI committee, counted from 0; all by default.
    device, dtype, threads
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``float32`` or ``float64``; threads of torch and of the
        compiled loops (None: OMP_NUM_THREADS, else all cores).
    trust_pickle
        Allow a hippynn experiment, whose file can run code.
    energy_unit
        Unit that a hippynn experiment was trained in, which it needs: ``eV``, ``kcal/mol``, ``kJ/mol`` or
        ``Hartree``.
    level
        Level of theory, of a model that was trained to several.
    name
        Names a calculator that is given as an object, so that a run in a directory knows it again: the same
        name must mean the same potential.

    Raises
    ------
    UserError
        Options that are not accepted; a model that is not there.
    """
    from pydantic import ValidationError

    from votca_mlp.models.load import model_path

    given: dict[str, Any] = {"device": device, "dtype": dtype, "threads": threads}
    if not isinstance(model, str | Path):
        if kind not in (None, "ase"):
            raise UserError(f"kind '{kind}' is no object", where="load_model", accepted="kind ase, or none")
        key = name or f"{type(model).__module__}.{type(model).__qualname__} {id(model)}"
        _HELD[key] = model
        given |= {"kind": "ase", "calculator": "votca_mlp.api.model:held", "arguments": {"key": key}}
    elif kind == "ase":
        given |= {"kind": "ase", "calculator": str(model), "arguments": dict(arguments or {})}
    else:
        given |= {"kind": kind or "hippynn", "model": str(model), "trust_pickle": trust_pickle}
        given |= {"energy_unit": energy_unit, "level": level}
        given |= {} if members is None else {"members": tuple(members)}
    try:
        options = MLPSettings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(
            f"{first['loc'][0]} is {first['input']!r}: {first['msg']}", where="load_model"
        ) from None
    if options.model and not options.model.startswith("builtin:"):
        # absolute: a run in another folder looks for it, too
        options = options.model_copy(update={"model": str(model_path(options.model, Path.cwd()))})
    elif options.model:
        model_path(options.model, Path.cwd())
    return Model(options, Path.cwd())
