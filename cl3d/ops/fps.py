"""Farthest point sampling of many clouds at once, and the partition of clouds by it."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError, check_whole
from cl3d.ops.batchable import batchable

CLOUDS_AT_ONCE = 64
"""Clouds that are worked on together: their coordinates and distances should stay in a core's cache."""

TAKEN = -1.0
"""Stands for the distance of a point that is picked already: below any other, so it stays and never wins."""


@batchable
def farthest_points(points: Tensor, count: int, start: int = 0) -> Tensor:
    """Picks, again and again, the point farthest from those picked before.

    No point is picked twice, even where points coincide; of points equally far the first is picked. The
    order counts: the first c picks are what ``count=c`` gives.

    Args:
        points: (n, p, 3) float32 or float64.
        count: points to pick from each cloud, at most p.
        start: the point of each cloud to begin with.

    Returns:
        (n, count) int64, on the device of the points.

    Raises:
        InputError: if the shape or dtype is another, or there are not that many points.
    """
    _check(points, "count", count, count)
    check_whole("start", start, 0)
    if start >= points.shape[1]:
        raise InputError(f"start={start} in clouds of {points.shape[1]} points: give the position of one")
    return torch.cat([_sample(axes, _all_free(axes[0], start), count) for axes in _batches(points)])


@batchable
def fps_partition(points: Tensor, parts: int, size: int) -> Tensor:
    """Cuts each cloud into disjoint parts by repeated farthest point sampling (Morphing, section 3.3).

    Each part is sampled from the points that the parts before it left, beginning with the first of them.

    Args:
        points: (n, p, 3) float32 or float64.
        parts: number of parts.
        size: points in each; ``parts * size`` is at most p, what is left over belongs to no part.

    Returns:
        (n, parts, size) int64, on the device of the points.

    Raises:
        InputError: if the shape or dtype is another, or there are not that many points.
    """
    check_whole("parts", parts, 1)
    _check(points, "size", size, parts * size)
    return torch.cat([_partition(axes, parts, size) for axes in _batches(points)])


def _partition(axes: list[Tensor], parts: int, size: int) -> Tensor:
    nearest = _all_free(axes[0], start=0)
    picks = []
    for _ in range(parts):
        picks.append(_sample(axes, nearest, size))
        nearest.masked_fill_(nearest != TAKEN, torch.inf)
    return torch.stack(picks, dim=1)


def _sample(axes: list[Tensor], nearest: Tensor, count: int) -> Tensor:
    """Picks ``count`` points of each cloud: (n, count).

    Args:
        axes: the three coordinates, each (n, p).
        nearest: (n, p), the squared distance to the nearest point picked so far; kept up to date.
    """
    picks = torch.empty(len(nearest), count, dtype=torch.int64, device=nearest.device)
    squares, square = torch.empty_like(nearest), torch.empty_like(nearest)
    for step in range(count):
        pick = _first_largest(nearest)
        picks[:, step : step + 1] = pick
        squares.zero_()
        for axis in axes:
            torch.sub(axis, axis.gather(1, pick), out=square)
            squares += square.mul_(square)
        torch.minimum(nearest, squares, out=nearest)
        nearest.scatter_(1, pick, TAKEN)
    return picks


def _first_largest(values: Tensor) -> Tensor:
    """Position of the first largest value of each row: (n, p) → (n, 1)."""
    if values.device.type != "cpu":
        return values.argmax(dim=1, keepdim=True)
    # along a contiguous axis NumPy's is several times faster than torch's
    return torch.from_numpy(values.numpy().argmax(axis=1, keepdims=True))


def _all_free(like: Tensor, start: int) -> Tensor:
    """Distances before the first pick: infinite for ``start``, so that it is the first."""
    nearest = torch.full_like(like, torch.finfo(like.dtype).max)
    nearest[:, start] = torch.inf
    return nearest


def _batches(points: Tensor) -> list[list[Tensor]]:
    """The three coordinates of a few clouds at a time, each contiguous."""
    batches = points.detach().split(CLOUDS_AT_ONCE)
    return [list(batch.permute(2, 0, 1).contiguous()) for batch in batches]


def _check(points: Tensor, name: str, value: int, needed: int) -> None:
    if points.ndim != 3 or points.shape[2] != 3 or points.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"points of shape {tuple(points.shape)} and {points.dtype}: give (n, p, 3) in float32 or float64"
        )
    check_whole(name, value, 1)
    if needed > points.shape[1]:
        raise InputError(f"{needed} of {points.shape[1]} points are asked for: give a smaller {name}")
