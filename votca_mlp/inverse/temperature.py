"""The result of a run whose correction has terms in temperature: u(r; T) as one file."""

from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.inverse.states import basis_of, term_names

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

NAME = "u_of_T.yaml"
"""In the main directory; ``votca-mlp export`` reads it as it reads a file of ``votca-mlp temperature``."""


def write_u_of_t(settings: "Settings", number: int) -> Path | None:
    """Write u(r; T) of a step: that which its simulations ran with, so that the step's g(r) belong to it.

    Nothing is written, and None returned, for a run without terms in temperature or a step that has not
    begun. The range of temperatures is that of the states of weight above 0.

    Raises
    ------
    UserError
        Damaged tables, no space left.
    """
    from ase.data import atomic_numbers

    from votca_mlp.files import sha256_of
    from votca_mlp.potentials.correction import read_correction, species_pair
    from votca_mlp.potentials.temperature import from_terms
    from votca_mlp.potentials.temperature_file import TemperatureFile, write_temperature_file
    from votca_mlp.settings.origin import model_origin
    from votca_mlp.settings.states import states_of

    count = settings.multistate.temperature_terms
    step = settings.run_directory / f"step_{number:03d}"
    stems = {pair.name: term_names(settings, pair.name) for pair in settings.interactions}
    tables = {stem: step / f"{stem}.pot.cur" for names in stems.values() for stem in names}
    if not settings.multistate.enabled or count == 1 or not all(map(Path.is_file, tables.values())):
        return None
    states = states_of(settings)
    basis = basis_of(settings, states)
    terms = [
        read_correction({(i.type1, i.type2): tables[stems[i.name][k]] for i in settings.interactions})
        for k in range(count)
    ]
    fitted = [state.temperature for state in states if state.weight > 0]
    correction = from_terms(terms, basis.reference, basis.scale, minimum=min(fitted), maximum=max(fitted))
    last = (step / state.name / state.settings.engine.conf_out for state in states)
    source = {
        "settings": str(settings.path),
        "settings_sha256": sha256_of(settings.path),
        "step": number,
        "states": {s.name: {"temperature": s.temperature, "weight": s.weight} for s in states},
        "tables": {stem: sha256_of(path) for stem, path in tables.items()},
        "configuration": next((str(path) for path in last if path.is_file()), None),
    }
    names = {
        species_pair(atomic_numbers[i.type1], atomic_numbers[i.type2]): i.name for i in settings.interactions
    }
    path = settings.run_directory / NAME
    write_temperature_file(
        path, TemperatureFile(correction, names, model_origin(settings).as_data() | {"sources": [source]})
    )
    return path
