"""The snippets of docs/calculators.md load the calculators that they name, and those are sound potentials."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from tests.docs.pages import blocks
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.evaluation.validate import validate_model
from votca_mlp.models.options import MLPSettings

SNIPPETS = {
    block.text.split("<calculator>")[1].split(".")[0]: block.text
    for block in blocks("docs/calculators.md")
    if block.language == "xml" and "<calculator>" in block.text
}


@pytest.fixture
def atoms() -> Atoms:
    found = bulk("Al", "fcc", 4.1, cubic=True) * (2, 2, 2)
    found.rattle(0.1, seed=1)
    return found


@pytest.fixture
def keep_torch() -> Any:
    """Put back what these packages change for the whole process."""
    threads, dtype, gradient = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
    torch.set_grad_enabled(gradient)


def write_random_mace(path: Path) -> None:
    """Write a small MACE model of aluminium whose weights are random: published ones are downloaded."""
    from e3nn import o3
    from mace import modules

    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    model = modules.ScaleShiftMACE(
        r_max=5.0,
        num_bessel=6,
        num_polynomial_cutoff=5,
        max_ell=2,
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        num_interactions=2,
        num_elements=1,
        hidden_irreps=o3.Irreps("8x0e + 8x1o"),
        MLP_irreps=o3.Irreps("8x0e"),
        gate=torch.nn.functional.silu,
        atomic_energies=np.array([-3.0]),
        avg_num_neighbors=40.0,
        atomic_numbers=[13],
        correlation=2,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    torch.save(model, path)


def test_three_snippets() -> None:
    assert set(SNIPPETS) == {"mace", "chgnet", "sevenn"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["mace", "chgnet", "sevenn"])
def test_a_snippet_is_a_sound_potential(package: str, tmp_path: Path, atoms: Atoms, keep_torch: Any) -> None:
    pytest.importorskip(package, reason=f"the package of {package} is not installed")
    tags = {tag.tag: tag.text for tag in ElementTree.fromstring(SNIPPETS[package])}
    mlp = MLPSettings.model_validate(tags | {"threads": 1})
    if package == "mace":
        write_random_mace(tmp_path / mlp.arguments["model_paths"])
    evaluator = make_evaluator(mlp, None, tmp_path)
    assert evaluator.gives_stress
    report = validate_model(evaluator, atoms)
    assert report.problems() == []
    assert report.force_scale > 1e-3
