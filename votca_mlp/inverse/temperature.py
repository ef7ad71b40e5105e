"""The result of a run whose correction has terms in temperature: u(r; T) as one file."""

from pathlib import Path

from votca_mlp.inverse.plan import InversePlan

NAME = "u_of_T.yaml"
"""In the main directory; ``votca-mlp export`` reads it as it reads a file of ``votca-mlp temperature``."""


def write_u_of_t(plan: InversePlan, number: int) -> Path | None:
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
    from votca_mlp.models.origin import describe_model
    from votca_mlp.potentials.correction import read_correction, species_pair
    from votca_mlp.potentials.temperature import from_terms
    from votca_mlp.potentials.temperature_file import TemperatureFile, write_temperature_file

    step, states = plan.step_directory(number), plan.states
    pairs = [pair.grid for pair in plan.pairs]
    stems = {pair.name: plan.tables(pair.name) for pair in pairs}
    tables = {stem: step / f"{stem}.pot.cur" for names in stems.values() for stem in names}
    if not plan.several or plan.terms == 1 or not all(map(Path.is_file, tables.values())):
        return None
    basis = plan.basis
    terms = [
        read_correction({pair.species: tables[stems[pair.name][k]] for pair in pairs})
        for k in range(plan.terms)
    ]
    fitted = [state.temperature for state in states if state.weight > 0]
    correction = from_terms(terms, basis.reference, basis.scale, minimum=min(fitted), maximum=max(fitted))
    last = (step / state.name / state.md.conf_out for state in states)
    path = plan.origin.path
    source = {
        "settings": None if path is None else str(path),
        "settings_sha256": None if path is None else sha256_of(path),
        "step": number,
        "states": {s.name: {"temperature": s.temperature, "weight": s.weight} for s in states},
        "tables": {stem: sha256_of(table) for stem, table in tables.items()},
        "configuration": next((str(file) for file in last if file.is_file()), None),
    }
    names = {species_pair(*(atomic_numbers[s] for s in pair.species)): pair.name for pair in pairs}
    origin = describe_model(
        plan.model, plan.directory, states[0].md.skin, where=plan.where("cg.inverse.mlp.arguments")
    )
    written = plan.directory / NAME
    content = TemperatureFile(correction, names, origin.as_data() | {"sources": [source]})
    write_temperature_file(written, content)
    return written
