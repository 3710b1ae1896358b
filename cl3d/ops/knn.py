"""The nearest neighbours of every point within its cloud."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from cl3d.errors import InputError, check_whole

CHUNK = 1 << 26
"""Most distances held at once off the CPU: 256 MiB of float32."""


def nearest_neighbours(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k other points nearest to each point; no gradient flows through the distances.

    A point is left out of its own neighbours by its index, so a point that coincides with it is a neighbour
    at distance 0. Of points equally far any may come first.

    Args:
        points: (n, p, 3) float32 or float64.
        k: neighbours of each point, at most p - 1.

    Returns:
        Distances (n, p, k), ascending, in the dtype of the points, and indices (n, p, k) int64; both on
        their device.

    Raises:
        InputError: if the shape or dtype is another, or there are not that many points.
    """
    if points.ndim != 3 or points.shape[2] != 3 or points.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"points of shape {tuple(points.shape)} and {points.dtype}: give (n, p, 3) in float32 or float64"
        )
    check_whole("k", k, 1)
    if k >= points.shape[1]:
        raise InputError(f"{k} neighbours in clouds of {points.shape[1]} points: give a smaller k")
    search = _by_tree if points.device.type == "cpu" else _by_distances
    return search(points.detach(), k)


def _by_tree(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    shape = (*points.shape[:2], k)
    distances = np.empty(shape, dtype=points.numpy().dtype)
    indices = np.empty(shape, dtype=np.int64)
    own = np.arange(points.shape[1])[:, None]
    for i, cloud in enumerate(points.numpy()):
        # one more than asked for: a point finds itself, too
        found, where = cKDTree(cloud).query(cloud, k + 1)
        itself = where == own
        # unless k + 1 others coincide with it; then one of those goes
        itself[~itself.any(axis=1), -1] = True
        distances[i] = found[~itself].reshape(-1, k)
        indices[i] = where[~itself].reshape(-1, k)
    return torch.from_numpy(distances), torch.from_numpy(indices)


def _by_distances(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    clouds = max(1, CHUNK // points.shape[1] ** 2)
    found = [_smallest_distances(chunk, k) for chunk in points.split(clouds)]
    return torch.cat([distances for distances, _ in found]), torch.cat([indices for _, indices in found])


def _smallest_distances(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    # by matrix products the distances of close points would have no digits left
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    values, indices = distances.topk(k, largest=False)
    return values, indices
