#!/usr/bin/env python3
"""Write docs/settings.md from the settings models."""

from pathlib import Path

from votca_mlp.files import atomic_write
from votca_mlp.settings.reference import settings_reference

path = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
path.parent.mkdir(exist_ok=True)
with atomic_write(path) as file:
    file.write(settings_reference())
