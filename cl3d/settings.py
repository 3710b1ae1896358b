"""From a script's config to what it describes: objects, numbers, and overrides of another script."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from omegaconf import DictConfig

from cl3d.errors import InputError, check_whole
from cl3d.sentence import sentence

MEMORY = ("condenser", "ppc", "ratio", "budget", "total", "resolution")
"""The settings of a memory: what fills it, and its budget."""

NUMERICS = ("device", "precision", "deterministic")
"""The settings of ``configs/numerics.yaml``."""


def build(config: Any) -> Any:
    """Builds the object that a config describes.

    Raises:
        InputError: if a value does not fit; the constructor's own sentence where it has one.
    """
    try:
        return hydra.utils.instantiate(config, _convert_="all")
    except InstantiationException as error:
        raise InputError(sentence(error)) from error


def build_condenser(config: DictConfig) -> Any:
    """The condenser of a script's config, at its ``resolution``; None where there is none.

    Raises:
        InputError: if a value does not fit.
    """
    from cl3d.distill import at_resolution

    if "condenser" not in config:
        return None
    condenser = build(config.condenser)
    if config.get("resolution") is None:
        return condenser
    return at_resolution(condenser, whole(config, "resolution", 1))


def build_dataset(config: DictConfig) -> Any:
    """The data set of a script's config, with the clouds that ``configs/clouds.yaml`` asks for."""
    from cl3d.data.cache import derived
    from cl3d.data.variants import few_shot, long_tailed
    from cl3d.models import Rotator, canonical

    turn = flag(config, "canonical")
    dataset = build(config.data)
    if config.holdout is not None:
        dataset = dataset.hold_out(config.holdout)
    if config.imbalance is not None:
        dataset = long_tailed(dataset, config.imbalance)
    if config.shots is not None:
        dataset = few_shot(dataset, config.shots)
    if not turn:
        return dataset

    def turned() -> Any:
        train, test = (canonical(clouds, Rotator()) for clouds in (dataset.train, dataset.test))
        return replace(dataset, name=f"{dataset.name}, canonical", train=train, test=test)

    return derived(dataset, "canonical", turned)


@contextlib.contextmanager
def computing(config: DictConfig) -> Iterator[None]:
    """The precision and determinism that ``configs/numerics.yaml`` asks for.

    Raises:
        InputError: if the device does not have it, or too little memory.
    """
    if "precision" not in config:
        yield
        return
    import torch

    from cl3d.distill import resolve_device
    from cl3d.numerics import check_precision, numerics

    with numerics(str(config.precision), flag(config, "deterministic")):
        check_precision(str(config.precision), resolve_device(str(config.device)))
        try:
            yield
        except torch.OutOfMemoryError as error:
            lacking = ". ".join(str(error).split(". ")[:2])  # advice for programmers follows
            raise InputError(
                f"the device's memory is too small ({lacking}): give smaller batches or device=cpu"
            ) from error


def handed_on(config: DictConfig, groups: Sequence[str], names: Sequence[str]) -> list[str]:
    """This script's settings as another one's overrides.

    Args:
        groups: what the command line says of these, and of what stands in them, word for word.
        names: settings whose values are handed on, those that are null left out.
    """
    given = [
        text
        for text in HydraConfig.get().overrides.task
        if text.lstrip("+~").split("=")[0].split(".")[0].split("/")[0] in groups
    ]
    return given + [f"{name}={config[name]}" for name in names if config[name] is not None]


def whole(config: DictConfig, name: str, least: int) -> int:
    """A whole number of the config.

    Raises:
        InputError: if it is none, or below ``least``.
    """
    check_whole(name, config[name], least)
    return int(config[name])


def flag(config: DictConfig, name: str) -> bool:
    """True or false, from the config.

    Raises:
        InputError: if it is anything else.
    """
    value = config[name]
    if not isinstance(value, bool):
        raise InputError(f"{name}={value}: give true or false")
    return value


def budget(config: DictConfig) -> Any:
    """The budget that the config describes: ``ppc`` unless one of the others is set."""
    from cl3d.distill import Budget

    names = [name for name in ("ppc", "ratio", "budget", "total") if name in config]
    given = {name: config[name] for name in names if config[name] is not None}
    if not given:
        raise InputError(f"no budget is given: give one of {', '.join(names)}")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name}={value}: give a number")
    ppc = given.pop("ppc", None)
    if len(given) > 1:
        named = " and ".join(f"{name}={value}" for name, value in given.items())
        raise InputError(f"{named} are given together: give one of them")
    if not given:
        return Budget(ppc=ppc)
    return Budget(**{"nbytes" if name == "budget" else name: value for name, value in given.items()})
