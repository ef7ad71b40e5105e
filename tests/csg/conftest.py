"""Fixtures of the csg_inverse tests."""

from pathlib import Path

import pytest

from tests.csg.case import inverse, make_case, needs_votca

HOOKS = """<post_update>scale smooth</post_update>
      <post_update_options><scale>0.5</scale><smooth><iterations>1</iterations></smooth></post_update_options>
      <post_add>convergence average copyback</post_add>
      <post_add_options>
        <average><what>pot</what></average>
        <copyback><filelist>Ar-Ar.dist.new</filelist></copyback>
      </post_add_options>"""


@pytest.fixture(scope="session")
def two_steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two iterations of one interaction with VOTCA's hooks, run without interruption; terminal output."""
    needs_votca()
    directory = make_case(
        tmp_path_factory.mktemp("csg") / "two_steps",
        iterations=2,
        interaction=HOOKS,
        inverse="<convergence_check><type>default</type><limit>0.001</limit></convergence_check>",
    )
    status, output = inverse(directory)
    assert status == 0, output
    return directory, output
