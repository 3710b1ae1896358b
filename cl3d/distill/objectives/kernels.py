"""Maximum mean discrepancy with a sum of Gaussian kernels."""

from __future__ import annotations

import torch
from torch import Tensor

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Bandwidths of the five kernels, in mean squared distances."""


class Sample:
    """Rows with the products of all their pairs, formed once for however many samples they meet.

    Args:
        rows: (n, d).

    Attributes:
        centre: (d,), without a gradient. Rows are taken from there: the products of far-off rows have no
            digits left for their differences.
        rows: (n, d), centred.
        products: (n, n).
    """

    def __init__(self, rows: Tensor) -> None:
        self.centre = rows.detach().mean(dim=0)
        self.rows = rows - self.centre
        self.products = self.rows @ self.rows.mT


def gaussian_mmd(x: Tensor, y: Tensor | Sample) -> Tensor:
    """Squared maximum mean discrepancy of two samples under a sum of five Gaussians.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y), all pairs included (Gretton et al., 2012, eq. 5);
    k(a, b) = sum_i exp(-|a - b|^2 / (w_i d)), d the mean squared distance of all pairs of the joint
    sample, a constant as far as the gradient goes.

    Args:
        x: (n, d).
        y: (m, d).

    Returns:
        A scalar, at least 0 up to rounding; 0 where all rows coincide.
    """
    distances = squared_distances(x, y if isinstance(y, Sample) else Sample(y))
    pairs = len(distances) * (len(distances) - 1)
    mean = distances.detach().sum() / pairs
    scaled = distances / torch.where(mean > 0, mean, 1)
    kernel = torch.stack([(scaled / -width).exp() for width in WIDTHS]).sum(dim=0)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def squared_distances(x: Tensor, y: Sample) -> Tensor:
    """Squared Euclidean distances of all pairs of rows of both: (n, d) and m rows → (n + m, n + m)."""
    rows = x - y.centre
    across = rows @ y.rows.mT
    products = torch.cat([torch.cat([rows @ rows.mT, across], 1), torch.cat([across.mT, y.products], 1)])
    squares = products.diagonal()
    distances = (squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * products).clamp_min(0)
    return distances * (1 - torch.eye(len(distances), dtype=x.dtype, device=x.device))
