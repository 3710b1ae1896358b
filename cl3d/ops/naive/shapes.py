"""The plain twins of correspondences between clouds, their modes and their orientation."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from cl3d.ops.orientation import Odd


def align(points: Tensor, reference: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.assignment.align`: the best of all permutations."""
    own, partners = points.tolist(), reference.tolist()

    def total(order: tuple[int, ...]) -> float:
        return sum(math.dist(own[i], partner) for i, partner in zip(order, partners, strict=True))

    return torch.tensor(min(itertools.permutations(range(len(own))), key=total))


def mean_and_modes(clouds: Tensor, modes: int, rounds: int = 2) -> Tensor:
    """Twin of :func:`cl3d.ops.modes.mean_and_modes`: by eigenvectors of the covariance in 3 p dimensions."""
    template = clouds[0]
    for _ in range(rounds):
        rows = torch.stack([cloud[align(cloud, template)].flatten() for cloud in clouds])
        template = rows.mean(dim=0).view(-1, 3)
    shapes = [template]
    variances, axes = torch.linalg.eigh(torch.cov(rows.T))
    for k in range(1, min(modes, len(clouds) - 1, template.numel()) + 1):
        mode = axes[:, -k] * variances[-k].clamp_min(0).sqrt()
        shapes.append((mode if mode[mode.abs().argmax()] > 0 else -mode).view(-1, 3))
    return torch.stack(shapes)


def orient(points: Tensor, odd: Odd) -> Tensor:
    """Twin of :func:`cl3d.ops.orientation.orient`: the axes of each cloud by a decomposition of itself."""
    turned = []
    for cloud in points:
        centred = cloud - cloud.mean(dim=0)
        _, _, axes = torch.linalg.svd(centred.detach(), full_matrices=False)
        columns = [centred @ axis for axis in axes]
        signs = odd(torch.stack(columns, dim=1).unsqueeze(0))[0]
        turned.append(
            torch.stack([-c if sign < 0 else c for c, sign in zip(columns, signs, strict=True)], dim=1)
        )
    return torch.stack(turned)
