"""docs/settings.md is what the models say."""

from pydantic import BaseModel

from tests.settings.test_reader import ROOT
from votca_mlp.settings.layout import section_of
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.reference import settings_reference


def test_up_to_date() -> None:
    written = (ROOT / "docs" / "settings.md").read_text()
    assert written == settings_reference(), "run scripts/settings_reference.py"


def test_every_tag_says_what_it_means() -> None:
    def fields(model: type[BaseModel], skip: tuple[str, ...] = ()) -> list[str]:
        silent = []
        for name, info in model.model_fields.items():
            section = section_of(info)
            if section is not None:
                silent += fields(section)
            elif name not in skip and not info.description:
                silent.append(f"{model.__name__}.{name}")
        return silent

    assert fields(Settings, ("path", "interactions")) == []
    assert fields(Interaction) == []
