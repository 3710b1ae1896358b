"""Chamfer distance between clouds."""

from __future__ import annotations

import torch
from torch import Tensor


def pairwise_chamfer(clouds: Tensor) -> Tensor:
    """Chamfer distance of each cloud and each other; without gradients.

    Args:
        clouds: (n, p, 3).

    Returns:
        (n, n), symmetric, 0 on the diagonal.
    """
    clouds = clouds.detach()
    squares = clouds.square().sum(dim=2, keepdim=True)
    ones = torch.ones_like(squares)
    # |a - b|² = |a|² + |b|² - 2 a b, as one product
    left, right = torch.cat([clouds, squares, ones], dim=2), torch.cat([-2 * clouds, ones, squares], dim=2)
    distances = clouds.new_zeros(len(clouds), len(clouds))
    for row in range(len(clouds) - 1):
        apart = right[row + 1 :] @ left[row].T
        both_ways = apart.amin(dim=1).mean(dim=1) + apart.amin(dim=2).mean(dim=1)
        distances[row, row + 1 :] = both_ways.clamp_min(0)  # rounding may leave less
    return distances + distances.T
