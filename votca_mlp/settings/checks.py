"""Checks (stub)."""

from votca_mlp.settings.models import Settings
from votca_mlp.settings.problems import Problem


def cross_checks(settings: Settings) -> list[Problem]:
    return []
