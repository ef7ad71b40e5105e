#!/usr/bin/env python3
"""Write docs/settings.md and docs/train_settings.md from the settings models."""

from pathlib import Path

from votca_mlp.files import atomic_write
from votca_mlp.settings.reference import settings_reference
from votca_mlp.training.settings.reference import train_reference

path = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
path.parent.mkdir(exist_ok=True)
with atomic_write(path) as file:
    file.write(settings_reference())
with atomic_write(path.with_name("train_settings.md")) as file:
    file.write(train_reference())
