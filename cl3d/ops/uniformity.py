"""How evenly the points of a cloud are spread, and the weights that follow from it."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError, check_whole
from cl3d.ops.knn import nearest_neighbours

LEAST_POINTS = 3
"""A standard deviation needs two neighbours."""


def uniformity(points: Tensor, k: int = 16) -> Tensor:
    """The score ν: mean over points of std / mean of the distances to the neighbours (Morphing, eq. 8).

    A coefficient of variation, so 0 is even and the score does not hang on scale, rotation or the order of
    points. The paper leaves open which standard deviation it means; this is the unbiased one, as in its
    public code, which however counts each point as its own first neighbour, and here it is none. A point
    that coincides with all its neighbours counts 0. No gradient flows through the score.

    Args:
        points: (n, p, 3) float32 or float64.
        k: neighbours of each point, at least 2; p - 1 in clouds with fewer than k + 1 points.

    Returns:
        (n,) in the dtype and on the device of the points.

    Raises:
        InputError: if the shape or dtype is another, or there are fewer than 3 points.
    """
    check_whole("k", k, 2)
    if points.ndim == 3 and points.shape[1] < LEAST_POINTS:
        raise InputError(
            f"clouds of {points.shape[1]} points have no uniformity: give at least {LEAST_POINTS}"
        )
    distances, _ = nearest_neighbours(points, min(k, points.shape[1] - 1))
    std, mean = torch.std_mean(distances, dim=2)
    return (std / mean.clamp_min(torch.finfo(mean.dtype).tiny)).mean(dim=1)


def uniformity_weights(real_nu: Tensor, part_nu: Tensor, strength: float = 1000.0) -> Tensor:
    """The weights η = exp(-λ (ν(real) - ν(part))²) of the parts of clouds (Morphing, eq. 9).

    The paper gives one weight to the m-th parts of all clouds of a batch: for that, hand over the means of
    both scores over the batch, of shapes () and (m,).

    Args:
        real_nu: (n,), or any shape, the score of whole clouds.
        part_nu: (n, m), one dimension more, the scores of their m parts.
        strength: λ.

    Returns:
        The shape of ``part_nu``, from 0 to 1; 1 where a part is as even as its cloud.

    Raises:
        InputError: if the shapes do not fit.
    """
    if part_nu.shape[:-1] != real_nu.shape or part_nu.ndim == 0:
        raise InputError(
            f"scores of shapes {tuple(real_nu.shape)} and {tuple(part_nu.shape)}: give (n,) and (n, m)"
        )
    return torch.exp(-strength * (real_nu.unsqueeze(-1) - part_nu).square())
