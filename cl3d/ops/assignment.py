"""One-to-one correspondence of the points of two clouds, for many pairs of clouds at once."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from cl3d.errors import InputError


def align(points: Tensor, reference: Tensor, groups: Tensor | None = None) -> Tensor:
    """Orders the points of clouds so that each stands where its partner in ``reference`` does.

    The pairs have the smallest possible sum of Euclidean distances (Morphing, section 3.2): the exact
    solution of the linear assignment problem, found on the CPU in float64, cloud by cloud. Time grows with
    p³: 1,024 points take some 0.1 s.

    Args:
        points: (p, 3) or (n, p, 3) floating point.
        reference: the same shape, or (p, 3) for all n clouds.
        groups: (p,) integers, or (n, p); a point and its partner are of one group, position i of either
            cloud being of ``groups[i]``. None: all are of one.

    Returns:
        (p,) or (n, p) int64 on the device of the points: ``points[order][i]`` and ``reference[i]`` are
        partners.

    Raises:
        InputError: if the shapes do not fit, or a coordinate is not finite.
    """
    clouds = points.unsqueeze(0) if points.ndim == 2 else points
    one = clouds.shape[1:]
    if clouds.ndim != 3 or one[1] != 3 or reference.shape not in (points.shape, one):
        raise InputError(
            f"clouds of shapes {tuple(points.shape)} and {tuple(reference.shape)}: "
            "give twice the same (p, 3), or (n, p, 3) and that or (p, 3)"
        )
    if not bool(points.isfinite().all() and reference.isfinite().all()):
        raise InputError("clouds with NaN or infinite coordinates cannot be aligned: repair or remove them")
    if groups is not None and groups.shape not in (points.shape[:-1], one[:1]):
        raise InputError(
            f"groups of shape {tuple(groups.shape)} for points of shape {tuple(points.shape)}: "
            "give one for each"
        )
    own, partners = (given.detach().double().cpu().expand_as(clouds) for given in (clouds, reference))
    own_groups = None if groups is None else groups.cpu().expand(clouds.shape[:2])
    orders = torch.empty(clouds.shape[:2], dtype=torch.int64)
    for i, order in enumerate(orders):
        order.copy_(_order(own[i], partners[i], None if own_groups is None else own_groups[i]))
    return orders.view(points.shape[:-1]).to(points.device)


def _order(points: Tensor, reference: Tensor, groups: Tensor | None) -> Tensor:
    """Of one pair of clouds."""
    if groups is None:
        return _assigned(points, reference)
    order = torch.empty(len(points), dtype=torch.int64)
    for group in groups.unique():
        mine = (groups == group).nonzero().squeeze(1)
        order[mine] = mine[_assigned(points[mine], reference[mine])]
    return order


def _assigned(points: Tensor, reference: Tensor) -> Tensor:
    _, order = linear_sum_assignment(cdist(reference.numpy(), points.numpy()))
    return torch.from_numpy(order)
