"""What is checked of the model and the start configuration before the first step."""

from votca_mlp.inverse.context import Context


def check_start_and_model(context: Context) -> str:
    """Check topology and start configuration of a state and evaluate the start once.

    Returns
    -------
    A line about the system.

    Raises
    ------
    UserError
        What does not fit, or a model that cannot be loaded or does not know an element.
    """
    from votca_mlp.engines.shared.start import check_start, largest_maximum, load_start
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.settings import read_topology

    state, settings = context.state, context.state.md
    if settings.program == "lammps":
        from votca_mlp.engines.lammps import step as lammps

        evaluator = evaluator_of(context.model, state.model, None, settings.ase.skin)
        return lammps.check_start(settings, evaluator)
    found = ""
    if settings.program == "gromacs":
        from votca_mlp.engines.gromacs.step import check_engine

        found = check_engine(settings) + "; "
    topology = settings.input_path(settings.ase.topol)
    atoms, source, _ = load_start(
        settings,
        step_directory=context.step_directory(1),
        main_directory=context.main,
        step_number=1,
    )
    check_start(
        atoms, read_topology(topology).types, r_max=largest_maximum(settings), where=source, topology=topology
    )
    evaluation = evaluator_of(context.model, state.model, None, settings.ase.skin).evaluate(atoms)
    edges = " x ".join(f"{edge:.2f}" for edge in atoms.cell.lengths())
    per_atom = evaluation.energy / len(atoms)
    formula = atoms.get_chemical_formula()
    return f"{found}{formula} in {edges} Angstrom, {per_atom:.4f} eV an atom at the start"
