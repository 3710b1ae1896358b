"""What a run was started with, besides its settings: the command, versions and the machine."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cl3d import __version__

LIBRARIES = ("torch", "avalanche-lib", "numpy")
"""Those on which results hang."""


def environment(command: str) -> dict[str, Any]:
    """The content of ``environment.json``."""
    return {
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"cl3d": __version__, "python": platform.python_version()}
        | {name: _version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "accelerator": _accelerator(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _accelerator() -> str | None:
    """The first CUDA device; a process that has not needed torch so far is not made to load it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name())
