"""The points within a radius, a fixed number for each centre."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError, check_positive
from cl3d.ops.grouping import nearest_distances


def ball_query(points: Tensor, centres: Tensor, radius: float, k: int) -> Tensor:
    """The k nearest points closer than ``radius`` to each centre, nearest first.

    Where fewer lie within, the nearest is repeated; so it is where none does. The usual ball query (Qi et
    al., "PointNet++", NeurIPS 2017) takes the first k within in the order of the points and repeats the
    first; here that order must not count. Of points equally far any may come first.

    Args:
        points: (n, p, 3) floating point.
        centres: (n, q, 3).
        radius: above 0, in the unit of the points.
        k: points for each centre; p where there are fewer.

    Returns:
        (n, q, min(k, p)) int64, on the device of the points.

    Raises:
        InputError: if shapes do not fit, or an argument is out of range.
    """
    check_positive("radius", radius)
    if points.shape[-1] != 3:
        raise InputError(f"points of shape {tuple(points.shape)}: give (n, p, 3)")
    distances, indices = nearest_distances(points, centres, k)
    return torch.where(distances < radius, indices, indices[..., :1])
