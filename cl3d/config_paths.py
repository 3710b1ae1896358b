"""Paths in a config, said so that a stored one means the same from any working folder."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from cl3d.errors import InputError

CONFIGS = Path(__file__).parents[1] / "configs"
ORDERS = CONFIGS / "orders"
PATHS = ("data.root", "data.cache", "class_order")
"""The settings that a run needs again when it is gone on with."""


def anchored(config: DictConfig) -> DictConfig:
    """The config with its relative paths made absolute; names of class orders stay names."""
    for key in PATHS:
        value = OmegaConf.select(config, key)
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


def _is_name(value: str) -> bool:
    return value == Path(value).name and not value.endswith(".json")
