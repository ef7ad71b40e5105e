"""The pages on how to add something show the very files that the tests run."""

import pytest

from tests.docs.pages import blocks
from tests.engines.test_registry import TOY as ENGINE
from tests.models.test_registry import TOY as MODEL
from tests.observables.test_plugin import TOY as OBSERVABLE
from tests.update.test_registry import TOY as RULE


@pytest.mark.parametrize(
    ("page", "file", "toy"),
    [
        ("docs/add_an_engine.md", "toy_engine.py", ENGINE),
        ("docs/add_a_model.md", "toy_model.py", MODEL),
        ("docs/add_a_rule.md", "toy_rule.py", RULE),
        ("docs/add_an_observable.md", "toy_observable.py", OBSERVABLE),
    ],
)
def test_the_page_shows_what_is_tested(page: str, file: str, toy: str) -> None:
    (shown,) = [block.text for block in blocks(page) if block.file == file]
    assert shown.strip() == toy.strip()
