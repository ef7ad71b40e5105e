"""The settings of a training: data, levels, split, network, training, output."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from votca_mlp.elements import SYMBOLS
from votca_mlp.fields import PLAIN_NAME, Section, setting
from votca_mlp.training.fusion.settings import ExperimentsSettings
from votca_mlp.training.sources.labels import Source


def _elements(values: dict[str, float]) -> dict[str, float]:
    for name in values:
        if name not in SYMBOLS:
            raise ValueError(f"'{name}' is no element")
    return values


_Weight = Annotated[float, Field(ge=0)]


class LevelSettings(Section):
    """One level of theory."""

    energy: _Weight = setting(100.0, meaning="Weight of energies in the loss (RMSE + MAE, eV/atom).")
    forces: _Weight = setting(1.0, meaning="Weight of forces (RMSE + MAE, eV/Angstrom).")
    stress: _Weight = setting(100.0, meaning="Weight of the stress (RMSE + MAE, eV/Angstrom^3).")
    self_energies: Annotated[dict[str, float], AfterValidator(_elements)] = setting(
        {}, unit="eV", meaning="Fixed self energies; the others are fitted.", accepted="ELEMENT: number"
    )


class SplitSettings(Section):
    """Which frames train."""

    held_out: float = setting(
        0.1, ge=0, lt=1, meaning="Fraction of each level's frames, in whole groups, that only the card sees."
    )
    validation: float = setting(0.1, gt=0, lt=1, meaning="Fraction of the others that stops the training.")
    seed: int = setting(1, ge=0, lt=2**32, meaning="Of the choice of groups.")


class NetworkSettings(Section):
    """HIP-NN, with hippynn's names."""

    kind: Literal["Hipnn", "HipnnVec", "HipnnQuad"] = setting(
        "Hipnn", meaning="Tensor order 0, 1 or 2 of the interaction layers."
    )
    n_features: PositiveInt = setting(20, meaning="Features of each atom.")
    n_sensitivities: PositiveInt = setting(20, meaning="Radial functions.")
    n_interaction_layers: PositiveInt = setting(1, meaning="Interaction layers.")
    n_atom_layers: PositiveInt = setting(3, meaning="Layers on atoms after each interaction layer.")
    dist_soft_min: PositiveFloat = setting(
        1.0, unit="Angstrom", meaning="Centre of the first radial function."
    )
    dist_soft_max: PositiveFloat = setting(
        5.0, unit="Angstrom", meaning="Centre of the last radial function."
    )
    dist_hard_max: PositiveFloat = setting(5.5, unit="Angstrom", meaning="Cutoff.")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.dist_soft_min < self.dist_soft_max <= self.dist_hard_max:
            found = f"{self.dist_soft_min:g}, {self.dist_soft_max:g}, {self.dist_hard_max:g}"
            raise ValueError(f"dist_soft_min, dist_soft_max, dist_hard_max are {found}: they have to ascend")
        return self


class StartSettings(Section):
    """A trained model to go on from."""

    model: str = setting(
        meaning="HIP-NN file or folder of a hippynn experiment, relative to the settings; or builtin:NAME. "
        "Its network is trained on, and needs no section network."
    )
    level: str | None = setting(
        None,
        meaning="Level of the model with whose head levels begin that the model does not have; needed where "
        "it has several.",
    )
    trust_pickle: bool = setting(
        False, meaning="yes: read a hippynn experiment, whose files can run code, as its origin is trusted."
    )
    energy_unit: Literal["eV", "kcal/mol", "kJ/mol", "Hartree"] | None = setting(
        None, meaning="Unit that a hippynn experiment was trained in, which its files do not say."
    )


class TrainingSettings(Section):
    """How long and how fast."""

    method: Literal["together", "continued", "transfer", "difference"] = setting(
        "together",
        meaning="together: all levels at once, a head each. continued: the first level, then all levels from "
        "there, a head each. transfer: the first level, then the others from there. difference: the first "
        "level, then a network for what each other adds to it.",
    )
    heads: Literal["separate", "added"] = setting(
        "added",
        meaning="Of method together: a head for each level, or the first level's and what each other level "
        "adds to it. Heads that begin with a trained one (start, continued) are separate.",
    )
    epochs: PositiveInt = setting(500, meaning="At most so many.")
    batch_size: PositiveInt = setting(16, meaning="Frames.")
    share: float = setting(
        0.25,
        ge=0,
        le=0.5,
        meaning="Of every batch that frames of each level have at least, those of a scarce level several "
        "times in an epoch; 0: all frames once.",
    )
    learning_rate: PositiveFloat = setting(1e-3, meaning="Of Adam at first.")
    smallest_rate: float = setting(1e-5, ge=0, meaning="Where the schedule ends.")
    schedule: Literal["plateau", "cosine", "constant"] = setting("plateau", meaning="Of the learning rate.")
    patience: int = setting(15, ge=0, meaning="Epochs without a better loss before plateau halves the rate.")
    stop_after: int = setting(0, ge=0, meaning="Epochs without a better loss before training ends; 0: never.")
    keep: Literal["best", "last"] = setting(
        "best", meaning="Model of the best validation loss, or of the last epoch."
    )
    decay: float = setting(1e-6, ge=0, meaning="Weight of the squares of the network's weights.")
    last_layer: Literal["trained", "least_squares", "all_energies"] = setting(
        "trained",
        meaning="least_squares: heads of levels with energies alone are fitted anew after training; "
        "all_energies: to the energies of validation, too.",
    )
    hierarchy: float = setting(0.0, ge=0, meaning="Weight of the hierarchicality of the heads' energies.")
    precision: Literal["float32", "float64"] = setting("float32", meaning="Of the network.")
    seed: int = setting(1, ge=0, lt=2**63, meaning="Of first parameters and the order of frames.")
    compiled: bool = setting(True, meaning="Compiled sums where they serve: no tensors, float32.")


class TrainSettings(Section):
    """settings.yaml."""

    output: str = setting(meaning="Folder of model, card and checkpoints; relative to the settings.")
    levels: dict[Annotated[str, Field(pattern=PLAIN_NAME)], LevelSettings] = setting(
        meaning="All levels of theory; a name alone takes the defaults.", accepted="LEVEL: {energy: 100, ...}"
    )
    data: tuple[Source, ...] = setting(meaning="Files with labelled frames.", accepted="a list")
    split: SplitSettings = setting(SplitSettings(), meaning="Which frames train.", accepted="a section")
    network: NetworkSettings = setting(NetworkSettings(), meaning="The network.", accepted="a section")
    start: StartSettings | None = setting(
        None,
        meaning="A trained model to go on from, instead of random numbers.",
        accepted="a section, or the model's file alone",
    )
    training: TrainingSettings = setting(TrainingSettings(), meaning="The training.", accepted="a section")
    experiments: ExperimentsSettings | None = setting(
        None,
        meaning="Measured values that the trained model is fused with (docs/fusion.md).",
        accepted="a section",
    )
