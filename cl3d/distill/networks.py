"""Networks: draws freshly initialised backbones by key."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch

from cl3d.distributed import local_rank, world
from cl3d.errors import InputError
from cl3d.models import Net
from cl3d.random import KeyPart, isolated

BuildModel = Callable[[int], Net]
"""Builds a network for a number of classes; it may draw from torch's global generator.

One that segments has its number of parts bound: ``partial(PointNetSegmentation, num_parts=50)``.
"""


@dataclass(frozen=True)
class Networks:
    """The distribution of initial weights that methods draw networks from.

    Attributes:
        build: called with ``num_classes``.
        num_classes: outputs of each network.
        device: where the networks live; weights are drawn on the CPU, so every device gets the same.
        seed: a key gives the same weights whenever, and however often, it is drawn.
    """

    build: BuildModel
    num_classes: int
    device: torch.device
    seed: int

    def draw(self, *key: KeyPart) -> Net:
        """A fresh network for one use, e.g. ``draw("surrogate", 3)``."""
        with isolated(self.seed, "weights", *key):
            return self.build(self.num_classes).to(self.device)


def trial(model: BuildModel) -> Net:
    """A network of two classes, to look at what the model makes.

    Raises:
        InputError: if its number of parts is not bound.
    """
    with isolated(0, "trial"):
        try:
            return model(2)
        except TypeError as error:
            unbound = inspect.signature(model).parameters.get("num_parts")
            if unbound is None or unbound.default is not unbound.empty:
                raise
            name = model_name(model)
            raise InputError(
                f"{name} is not told how many parts there are: give partial({name}, num_parts=...), those of "
                "all classes together"
            ) from error


def model_name(model: BuildModel) -> str:
    """A constructor of networks as text that is the same in every process."""
    if isinstance(model, functools.partial):
        named = [f"{key}={value!r}" for key, value in sorted(model.keywords.items())]
        arguments = ", ".join([*map(repr, model.args), *named])
        return f"{model_name(model.func)}({arguments})"
    return getattr(model, "__qualname__", type(model).__qualname__)


def resolve_device(device: str) -> torch.device:
    """Turns ``auto``, ``cpu``, ``cuda`` or ``cuda:1`` into a device that is there.

    Where a run has several processes, ``cuda`` is each one's own.

    Raises:
        InputError: if CUDA is asked for where there is none or too few, or the name is unknown.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError:
        resolved = torch.device("meta")
    if resolved.type not in ("cpu", "cuda"):
        raise InputError(f"device={device} is unknown: give auto, cpu, cuda or cuda:N")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise InputError(
            f"device={device}, but {found} CUDA devices are here: give device=cpu or device=auto"
        )
    if resolved.type == "cuda" and world() > 1:
        _check_own(device, resolved)
    return resolved


def _check_own(device: str, resolved: torch.device) -> None:
    """Refuses a CUDA device that a process would share with others of its run."""
    if resolved.index is not None:
        raise InputError(
            f"device={device} with {world()} processes: give device=cuda, of which each has its own"
        )
    if local_rank() >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise InputError(
            f"device={device}, but {found} CUDA devices are here for more processes: "
            "start one for each device, or give device=cpu"
        )
