"""Bootstrap confidence intervals of a mean over seeds and class orders."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cl3d.random import generator

CONFIDENCE = 0.95
RESAMPLES = 10_000


def bootstrap_interval(
    values: Mapping[tuple[int, int], float],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float] | None:
    """The percentile interval of the mean (Efron, "Bootstrap methods", Ann. Stat. 1979).

    Where each class order was run with each seed, orders and seeds are drawn anew, each with replacement,
    and a resample is the drawn orders crossed with the drawn seeds (Owen, "The pigeonhole bootstrap", Ann.
    Appl. Stat. 2007): runs that share an order or a seed are not independent of each other. Otherwise, as
    where each seed has an order of its own, the values themselves are drawn.

    Args:
        values: by class order and seed; of paired differences for the interval of their mean.
        confidence: in (0, 1).
        seed: keys the resamples.

    Returns:
        Low and high end; None of a single value, which tells nothing of its spread.
    """
    if len(values) < 2:
        return None
    means = _resampled(_crossed(values), resamples, generator(seed, "bootstrap"))
    tail = (1 - confidence) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=means.dtype)).tolist()
    return low, high


def _crossed(values: Mapping[tuple[int, int], float]) -> Tensor:
    """The values, orders by seeds; in one row where some are missing."""
    orders, seeds = (sorted({key[axis] for key in values}) for axis in (0, 1))
    if len(values) == len(orders) * len(seeds):
        return torch.tensor([[values[o, s] for s in seeds] for o in orders], dtype=torch.float64)
    return torch.tensor([[values[key] for key in sorted(values)]], dtype=torch.float64)


def _resampled(values: Tensor, resamples: int, draws: torch.Generator) -> Tensor:
    """Means (resamples,) of what is drawn of both axes of ``values``."""
    rows, columns = (_drawn(size, resamples, draws) for size in values.shape)
    return ((rows @ values) * columns).sum(dim=1) / values.numel()


def _drawn(size: int, resamples: int, draws: torch.Generator) -> Tensor:
    """How often each of ``size`` is among as many draws with replacement, (resamples, size)."""
    picks = torch.randint(size, (resamples, size), generator=draws)
    counts = torch.zeros(resamples, size, dtype=torch.float64)
    return counts.scatter_add_(1, picks, torch.ones_like(picks, dtype=torch.float64))
