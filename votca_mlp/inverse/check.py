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
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import evaluator_of

    state, md = context.state, context.state.md
    return engine_named(md.engine).check(
        md, lambda: evaluator_of(context.model, state.model, None, md.skin), context.step_directory(1)
    )
