"""Paths in a config, said so that a stored one means the same from any working folder."""

from __future__ import annotations

import os
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from cl3d.errors import InputError

CONFIGS = Path(__file__).parents[1] / "configs"
ORDERS = CONFIGS / "orders"
PATHS = ("data.root", "data.cache", "class_order", "memory_of")
"""The settings that a run needs again when it is gone on with."""


def anchored(config: DictConfig) -> DictConfig:
    """The config with its relative paths made absolute; names of class orders stay names.

    Where no root of the data is given, and the environment names a relative one, that is given from here on.
    """
    for key in PATHS:
        value = OmegaConf.select(config, key)
        if key == "data.root" and value is None and "root" in config.get("data", {}):
            value = _relative_root()
        value = str(value) if type(value) is int else value  # a folder may be called 2026
        if isinstance(value, str) and value and not (key == "class_order" and _is_name(value)):
            OmegaConf.update(config, key, str(Path(value).expanduser().absolute()))
    return config


def order_file(value: str) -> Path:
    """The file of class orders that ``class_order=`` gives: one of those that come along, or a path.

    Raises:
        InputError: if none has that name.
    """
    if not _is_name(value):
        return Path(value)
    path = ORDERS / f"{value}.json"
    if not path.is_file():
        there = ", ".join(sorted(path.stem for path in ORDERS.glob("*.json")))
        raise InputError(f"class_order={value}: give one of {there}, or a file that ends in .json")
    return path


def _relative_root() -> str | None:
    """What the environment names as the data root, where that hangs on the working folder."""
    from cl3d.data.roots import ENVIRONMENT_VARIABLE  # late: it imports torch, and --help should not

    root = os.environ.get(ENVIRONMENT_VARIABLE)
    return root if root and not Path(root).expanduser().is_absolute() else None


def _is_name(value: str) -> bool:
    return value == Path(value).name and not value.endswith(".json")
