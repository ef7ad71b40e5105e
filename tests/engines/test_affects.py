"""What a change of a tag of an engine's section affects: an observable says which tags shape it."""

import pytest

from votca_mlp.engines.engine import engines


@pytest.mark.parametrize("name", ["ase", "lammps", "gromacs"])
def test_tags_of_g_of_r_are_not_the_simulations(name: str) -> None:
    affects = engines()[name].affects
    assert [affects(tag) for tag in ("rdf.block_length", "first_frame", "equi_time")] == ["g(r)"] * 3
    assert [affects(tag) for tag in ("traj", "mdrun.opts", "timestep")] == ["the simulations"] * 3
