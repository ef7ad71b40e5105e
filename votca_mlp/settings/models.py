"""The typed settings: what a settings.xml means after reading; sections are beside engine, model and rule.

Units: nm and kJ/mol in VOTCA's own tags (min, max, step, kBT); Angstrom, fs, K, bar and eV in ours.
Each field's ``setting(...)`` is also the source of its error message and of docs/settings.md.
"""

from os.path import exists
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, PrivateAttr, create_model, model_validator
from pydantic_core import PydanticCustomError

from votca_mlp.engines.ase.options import AseSettings
from votca_mlp.engines.engine import engine_named, engines
from votca_mlp.engines.gromacs.options import GromacsSettings
from votca_mlp.engines.lammps.options import LammpsSettings
from votca_mlp.engines.options import Crystal, EngineSettings, Limits, RdfSettings
from votca_mlp.engines.registry import engine_names
from votca_mlp.fields import Section, Words, setting
from votca_mlp.models.options import MLPSettings
from votca_mlp.settings.final_checks import FinalChecks
from votca_mlp.settings.interaction import Interaction
from votca_mlp.settings.iterations import (
    ConvergenceCheck,
    MultistateSettings,
    PhaseSettings,
    ScatteringSettings,
    TargetDensity,
    TargetPressure,
)
from votca_mlp.units import kelvin
from votca_mlp.update.registry import DEFAULT, OF_METHOD, rules

__all__ = [
    "AseSettings",
    "ConvergenceCheck",
    "Crystal",
    "EngineSettings",
    "GromacsSettings",
    "Interaction",
    "LammpsSettings",
    "Limits",
    "MLPSettings",
    "MultistateSettings",
    "PhaseSettings",
    "RdfSettings",
    "ScatteringSettings",
    "Settings",
    "TargetDensity",
    "TargetPressure",
]


def _known_rule(name: str) -> str:
    if name not in rules():
        raise ValueError("no such rule is installed")
    return name


def _known_engine(name: str) -> str:
    if name not in engine_names():
        # not a ValueError, whose words would repeat what is accepted
        raise PydanticCustomError("engine", "no such engine")
    return name


class RunTags(Section):
    """Everything in a settings.xml that votca-mlp uses, without the sections of the engines."""

    path: Path
    interactions: tuple[Interaction, ...]
    program: Annotated[str, AfterValidator(_known_engine)] = setting(
        accepted=" | ".join(engine_names()), meaning="The engine."
    )
    method: Literal["ibi", "imc"] = setting(
        meaning="VOTCA's method: ibi updates each interaction by itself (rule wibi), imc all at once (rule "
        "gauss_newton)."
    )
    rule: Annotated[str, AfterValidator(_known_rule)] = setting(
        DEFAULT,
        accepted=" | ".join(rules()),
        meaning="How the potentials are updated: a section of this name in each interaction has the options. "
        "Without it wibi for method ibi, gauss_newton for method imc.",
    )
    kBT: float = setting(unit="kJ/mol", gt=0, meaning="Thermal energy; must agree with the temperature.")
    iterations_max: int = setting(gt=0, meaning="Number of iterations.")
    initial_configuration: Literal["maindir", "laststep"] = setting(
        "maindir",
        meaning="Where a step starts: the start configuration of the main directory, "
        "or the last configuration of the step before.",
    )
    filelist: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="file names separated by spaces", meaning="Files copied into each step directory."
    )
    convergence_check: ConvergenceCheck = ConvergenceCheck()
    target_density: TargetDensity | None = None
    target_pressure: TargetPressure | None = None
    scattering: tuple[ScatteringSettings, ...] = ()
    phase: PhaseSettings = PhaseSettings()
    checks: FinalChecks | None = None
    mlp: MLPSettings
    multistate: MultistateSettings = MultistateSettings()

    _lines: dict[str, int] = PrivateAttr(default_factory=dict)
    _texts: dict[str, str] = PrivateAttr(default_factory=dict)
    _root: Any = PrivateAttr(default=None)
    _run_directory: Path | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _rule_of_method(cls, values: Any) -> Any:
        if isinstance(values, dict) and "rule" not in values and values.get("method") in OF_METHOD:
            return values | {"rule": OF_METHOD[values["method"]]}
        return values

    @property
    def rule_options(self) -> Section | None:
        """The section of the update rule for the whole run, None for a rule without one."""
        section = getattr(self, self.rule, None)
        return section if isinstance(section, Section) else None

    @property
    def engine(self) -> EngineSettings:
        """The section of the program."""
        section = getattr(self, self.program)
        assert isinstance(section, EngineSettings)
        return section

    @property
    def temperature(self) -> float:
        """The engine's temperature, K; that of kBT where its section has none."""
        return float(getattr(self.engine, "temperature", kelvin(self.kBT)))

    @property
    def topology(self) -> tuple[str, str]:
        """Name of the topology that csg_stat reads, and its tag."""
        name, tag = engine_named(self.program).topology(self.engine)
        return name, f"cg.inverse.{self.program}.{tag}"

    @property
    def main_directory(self) -> Path:
        """The folder of settings.xml; of one of several states, the state's folder."""
        return self.path.parent

    @property
    def run_directory(self) -> Path:
        """The folder of the run's settings.xml, where the model is looked for."""
        return self._run_directory or self.path.parent

    def input_path(self, name: str) -> Path:
        """Return where an input file lies: what a state's folder lacks is that of the run's folder.

        What filelist has in another folder is known by its last name, that of its copy in the step.
        """
        name = next((listed for listed in self.filelist if Path(listed).name == name), name)
        own = self.main_directory / name
        return own if exists(own) else self.run_directory / name

    def line_of(self, tag_path: str) -> int:
        """Return the line of a tag such as ``cg.inverse.kBT`` or ``cg.non-bonded[Al-Al].max``.

        Interactions are known by their names; without one, the first is meant. An absent tag has the line of
        the innermost section around it that is present.
        """
        parts = tag_path.split(".")
        while len(parts) > 1 and ".".join(parts) not in self._lines:
            parts.pop()
        return self._lines.get(".".join(parts), 1)

    def text(self, tag_path: str) -> str | None:
        """Return the text of any tag in the file (None when absent), for tags that have no field here."""
        return self._texts.get(tag_path)

    def where(self, tag_path: str) -> str:
        """Return ``file:line: <tag>`` for a message."""
        line = self.line_of(tag_path)
        return f"{getattr(line, 'file', None) or self.path}:{line}: <{tag_path}>"


if TYPE_CHECKING:

    class Settings(RunTags):
        """Everything in a settings.xml that votca-mlp uses; ``cg.inverse.X`` is the field X.

        There is a section for each engine of the registry; only that of the program is read.
        """

        ase: AseSettings | None = None
        lammps: LammpsSettings | None = None
        gromacs: GromacsSettings | None = None
else:
    Settings = create_model(
        "Settings",
        __base__=RunTags,
        __doc__="Everything in a settings.xml that votca-mlp uses; ``cg.inverse.X`` is the field X.",
        **{name: (engine.section | None, None) for name, engine in engines().items()},
        **{
            name: (entry.run_options, entry.run_options())
            for name, entry in rules().items()
            if entry.run_options is not None
        },
    )
