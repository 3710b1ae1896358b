"""Neighbourhoods inside a network: which points stand for a cloud, which lie near, and their values.

All choices are made without a gradient and from coordinates or features alone. Only where two distances are
equal does the order of the points decide, so a network that begins with :func:`in_order` does not hang on it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError, check_whole
from cl3d.ops.batchable import batchable
from cl3d.ops.fps import farthest_points
from cl3d.ops.sorting import lexicographic_order

CHUNK = 1 << 26
"""Most distances held at once: 256 MiB of float32."""

EXACT_DIMENSIONS = 3
"""Up to here distances are sums of squared differences; beyond, matrix products, which are far faster."""


def take(values: Tensor, indices: Tensor) -> Tensor:
    """The values at points of their own cloud, differentiable to any order.

    Args:
        values: (n, p, d).
        indices: (n, ...) int64, from 0 to p - 1.

    Returns:
        (n, ..., d).
    """
    rows = indices.flatten(1).unsqueeze(-1).expand(-1, -1, values.shape[2])
    return values.gather(1, rows).view(*indices.shape, values.shape[2])


def in_order(points: Tensor) -> tuple[Tensor, Tensor]:
    """The points of each cloud in the order of their coordinates, and the way back.

    On a lattice, as clouds stored in few bits are, many distances are equal. In this order the same points
    are the same tensor, so that whatever then decides between equals decides alike.

    Args:
        points: (n, p, d).

    Returns:
        (n, p, d), differentiable to any order, and (n, p) int64: ``take(ordered, back)`` are the points.
    """
    order = lexicographic_order(points.unbind(dim=2))
    return take(points, order), order.argsort(dim=1)


@batchable
@torch.no_grad()
def farthest_from_centre(points: Tensor, count: int) -> Tensor:
    """Farthest point sampling that begins with the point farthest from the cloud's mean.

    So the picks are places of the cloud, whatever the order of its points.

    Args:
        points: (n, p, 3) float32 or float64.
        count: points to pick from each cloud; all p are taken where it has fewer.

    Returns:
        (n, min(count, p)) int64, no point twice.

    Raises:
        InputError: if the shape or dtype is another.
    """
    far = (points - points.mean(dim=1, keepdim=True)).square().sum(dim=2).argmax(dim=1, keepdim=True)
    # the farthest changes places with the first, where sampling begins
    order = torch.arange(points.shape[1], device=points.device).repeat(len(points), 1)
    order[:, :1] = far
    order.scatter_(1, far, 0)
    picks = farthest_points(take(points, order), min(count, points.shape[1]))
    return order.gather(1, picks)


def nearest_points(points: Tensor, queries: Tensor, k: int) -> Tensor:
    """The k points nearest to each query, nearest first; a query that is a point finds itself.

    Of points equally far any may come first.

    Args:
        points: (n, p, d) floating point, coordinates or features.
        queries: (n, q, d).
        k: points for each query; all p are taken where there are fewer.

    Returns:
        (n, q, min(k, p)) int64, on the device of the points.

    Raises:
        InputError: if the shapes do not fit.
    """
    return nearest_distances(points, queries, k)[1]


@torch.no_grad()
def nearest_distances(points: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As :func:`nearest_points`, behind the measure by which they were ordered.

    Returns:
        That measure and the indices, twice (n, q, min(k, p)). The measure is the Euclidean distance in up to
        three dimensions; in more it is its square less the query's own, which orders in the same way.
    """
    _check(points, queries, k)
    clouds = max(1, CHUNK // (points.shape[1] * queries.shape[1]))
    chunks = zip(points.split(clouds), queries.split(clouds), strict=True)
    found = [_measure(p, q).topk(min(k, points.shape[1]), largest=False) for p, q in chunks]
    return torch.cat([values for values, _ in found]), torch.cat([indices for _, indices in found])


def _measure(points: Tensor, queries: Tensor) -> Tensor:
    if points.shape[2] <= EXACT_DIMENSIONS:
        return torch.cdist(queries, points, compute_mode="donot_use_mm_for_euclid_dist")
    # centred first: of a large mean the products would keep no digits
    mean = points.mean(dim=1, keepdim=True)
    points, queries = points - mean, queries - mean
    return torch.baddbmm(points.square().sum(dim=2).unsqueeze(1), queries, points.mT, alpha=-2)


def _check(points: Tensor, queries: Tensor, k: int) -> None:
    fits = points.ndim == queries.ndim == 3 and points.shape[::2] == queries.shape[::2]
    if not fits or points.shape[1] == 0:
        raise InputError(
            f"points of shape {tuple(points.shape)} and queries of shape {tuple(queries.shape)}: "
            "give (n, p, d) with at least one point, and (n, q, d)"
        )
    check_whole("k", k, 1)
