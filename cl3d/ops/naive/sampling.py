"""The plain twins of farthest point sampling, one cloud and one pick after the other."""

from __future__ import annotations

import torch
from torch import Tensor


def farthest_points(points: Tensor, count: int, start: int = 0) -> Tensor:
    """Twin of :func:`cl3d.ops.fps.farthest_points`: (n, p, 3) → (n, count)."""
    return torch.tensor([_farthest(cloud, range(len(cloud)), count, start) for cloud in points])


def fps_partition(points: Tensor, parts: int, size: int) -> Tensor:
    """Twin of :func:`cl3d.ops.fps.fps_partition`: (n, p, 3) → (n, parts, size)."""
    result = []
    for cloud in points:
        remaining = list(range(len(cloud)))
        picks = []
        for _ in range(parts):
            picks.append(_farthest(cloud, remaining, size, remaining[0]))
            remaining = [i for i in remaining if i not in picks[-1]]
        result.append(picks)
    return torch.tensor(result)


def farthest_from_centre(points: Tensor, count: int) -> Tensor:
    """Twin of :func:`cl3d.ops.grouping.farthest_from_centre`: (n, p, 3) → (n, min(count, p))."""
    picks = []
    for cloud in points:
        far = [squared_distance(point, cloud.mean(dim=0)) for point in cloud]
        start = far.index(max(far))
        picks.append(_farthest(cloud, range(len(cloud)), min(count, len(cloud)), start))
    return torch.tensor(picks)


def _farthest(cloud: Tensor, allowed: range | list[int], count: int, start: int) -> list[int]:
    picks = [start]
    while len(picks) < count:
        candidates = [i for i in allowed if i not in picks]
        # max gives the first of those that tie
        picks.append(max(candidates, key=lambda i: min(squared_distance(cloud[i], cloud[j]) for j in picks)))
    return picks


def squared_distance(a: Tensor, b: Tensor) -> float:
    """Of two points, (3,) each, summed in the order of the axes."""
    x, y, z = (a - b).square()
    return float(x + y + z)
