"""The model of a run, as files that leave the run name it."""

from typing import TYPE_CHECKING

from votca_mlp.models.origin import ModelOrigin, describe_model

if TYPE_CHECKING:
    from votca_mlp.settings.models import Settings


def model_origin(settings: "Settings") -> ModelOrigin:
    """Return the model of the settings with its checksum, the program versions and the time.

    Raises
    ------
    UserError
        A model that is missing, or calculator arguments that JSON cannot hold.
    """
    return describe_model(
        settings.mlp,
        settings.main_directory,
        # LAMMPS and GROMACS with an input of their own have no skin here
        getattr(settings.engine, "skin", 0.5),
        where=settings.where("cg.inverse.mlp.arguments"),
    )
