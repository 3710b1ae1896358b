"""Features between the points that have them: three-nearest interpolation by inverse squared distances."""

from __future__ import annotations

from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops.grouping import nearest_points, take

NEAREST = 3

EPSILON = 1e-8
"""Added to squared distances: at a point itself all but its own feature vanish, and none is divided by 0."""


def interpolate(features: Tensor, points: Tensor, queries: Tensor) -> Tensor:
    """The mean of the features of the three points nearest to each query, weighted by 1 / distance².

    As the feature propagation of PointNet++ (Qi et al., NeurIPS 2017, eq. 2). Differentiable by all three;
    the choice of the points is not. Of points equally far any may be chosen.

    Args:
        features: (n, p, d) floating point.
        points: (n, p, 3), where the features are.
        queries: (n, q, 3).

    Returns:
        (n, q, d); where there are fewer than three points, all are taken.

    Raises:
        InputError: if the shapes do not fit.
    """
    if features.ndim != 3 or features.shape[:2] != points.shape[:2]:
        raise InputError(
            f"features of shape {tuple(features.shape)} at points of shape {tuple(points.shape)}: "
            "give (n, p, d) and (n, p, 3)"
        )
    near = nearest_points(points, queries, NEAREST)
    squares = (take(points, near) - queries.unsqueeze(2)).square().sum(dim=3)
    weights = (squares + EPSILON).reciprocal()
    weights = weights / weights.sum(dim=2, keepdim=True)
    return (take(features, near) * weights.unsqueeze(3)).sum(dim=2)
