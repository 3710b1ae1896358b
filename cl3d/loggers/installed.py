"""Whether what a logger speaks to is installed."""

from __future__ import annotations

from importlib.util import find_spec

from cl3d.errors import InputError


def check_installed(package: str, logger: str) -> None:
    """Refuses a logger whose package is absent, before any work.

    Raises:
        InputError: if it is.
    """
    if find_spec(package) is None:
        raise InputError(f"logger={logger} needs {package}: pip install {package}, or give another logger")
