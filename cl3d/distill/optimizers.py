"""Optimisers and schedules as plain values, which compare, print and compose."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from cl3d.errors import InputError, check_positive, check_range

SCHEDULES = ("constant", "half", "cosine")
"""The learning rate stays, falls to a tenth after half of the way, or goes to 0 as a cosine."""


Parameters = Iterable[Tensor] | Iterable[dict[str, Any]]
"""Parameters, or groups of them as torch's optimisers take them."""


class Optimizer(Protocol):
    """Builds torch optimisers."""

    def __call__(self, parameters: Parameters) -> torch.optim.Optimizer:
        """One over ``parameters``."""


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015); weight decay added to the gradient."""

    lr: float = 1e-3
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_positive("lr", self.lr)
        check_range("weight_decay", self.weight_decay, 0, math.inf)

    def __call__(self, parameters: Parameters) -> torch.optim.Optimizer:
        """torch.optim.Adam over ``parameters``."""
        return torch.optim.Adam(parameters, lr=self.lr, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum; weight decay added to the gradient."""

    lr: float = 1e-2
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_positive("lr", self.lr)
        check_range("momentum", self.momentum, 0, 1)
        check_range("weight_decay", self.weight_decay, 0, math.inf)

    def __call__(self, parameters: Parameters) -> torch.optim.Optimizer:
        """torch.optim.SGD over ``parameters``."""
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)


def check_schedule(schedule: str) -> None:
    """Refuses a name that is not one of :data:`SCHEDULES`."""
    if schedule not in SCHEDULES:
        raise InputError(f"schedule={schedule!r} is unknown: give one of {', '.join(SCHEDULES)}")


def rate_factor(schedule: str, done: int, total: int) -> float:
    """What the learning rate is multiplied by when ``done`` of ``total`` rounds lie behind."""
    if schedule == "half":
        return 0.1 if done >= total / 2 else 1.0
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done / total))
    return 1.0


def scale_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Sets each group's learning rate to ``factor`` times the one that it started with."""
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
        group["lr"] = group["initial_lr"] * factor
