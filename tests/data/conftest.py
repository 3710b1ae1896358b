"""Fixtures of the tests on data."""

from release_server import release, server

__all__ = ["release", "server"]
