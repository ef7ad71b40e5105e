"""The folder with good settings that the tests of settings/ spoil."""

from tests.settings.conftest import good

__all__ = ["good"]
