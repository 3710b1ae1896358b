"""Optimisers as plain values, which compare, print and compose; calling one builds torch's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Optimizer(Protocol):
    """Builds torch optimisers."""

    def __call__(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """One over ``parameters``."""


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015); weight decay added to the gradient."""

    lr: float = 1e-3
    weight_decay: float = 0.0

    def __call__(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """torch.optim.Adam over ``parameters``."""
        return torch.optim.Adam(list(parameters), lr=self.lr, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum; weight decay added to the gradient."""

    lr: float = 1e-2
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __call__(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """torch.optim.SGD over ``parameters``."""
        return torch.optim.SGD(
            list(parameters), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay
        )
