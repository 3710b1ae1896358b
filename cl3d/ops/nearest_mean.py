"""Nearest mean of exemplars on the unit sphere: class means, and how far features are from them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def class_means(features: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """The mean of each class's features: each is scaled to length 1 first, and so is the mean.

    Algorithm 1 of iCaRL (Rebuffi et al., CVPR 2017, arXiv 1611.07725), with the normalisation that its
    section 2.1 asks for before and after every mean.

    Args:
        features: (n, d).
        labels: (n,) int64, below ``num_classes``.

    Returns:
        (num_classes, d); NaN for classes without features.
    """
    sums = features.new_zeros(num_classes, features.shape[1])
    sums = sums.index_add(0, labels, normalize(features, dim=1))
    absent = torch.bincount(labels, minlength=num_classes) == 0
    return normalize(sums, dim=1).masked_fill(absent.unsqueeze(1), torch.nan)


def nearest_mean_scores(features: Tensor, means: Tensor) -> Tensor:
    """Minus the distance of each feature, scaled to length 1, to each mean; iCaRL takes the largest (eq. 2).

    Args:
        features: (n, d).
        means: (k, d), as :func:`class_means` gives them.

    Returns:
        (n, k); minus infinity for classes without a mean.
    """
    absent = means.isnan().any(dim=1)
    known = means.masked_fill(absent.unsqueeze(1), 0.0)
    # by differences: products lose what little distance there is between features on a sphere
    distances = torch.cdist(normalize(features, dim=1), known, compute_mode="donot_use_mm_for_euclid_dist")
    return (-distances).masked_fill(absent, -torch.inf)
