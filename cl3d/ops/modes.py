"""Mean shape and principal modes of clouds whose points have no given order."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.ops.assignment import align
from cl3d.ops.grouping import take


def mean_and_modes(clouds: Tensor, modes: int, rounds: int = 2) -> Tensor:
    """The mean of clouds in correspondence, and the directions in which they spread most.

    The points of each cloud are ordered by exact assignment to the first cloud, then, in each further round,
    to the mean of the last one. Mode k is u_k times the standard deviation along it, u_k being the k-th
    principal axis in 3 p dimensions; a mode's sign has its largest coordinate positive.

    Args:
        clouds: (n, p, 3).
        modes: how many at most.
        rounds: of ordering.

    Returns:
        (1 + k, p, 3): the mean, then k = min(modes, n - 1, 3 p) modes, that of the largest variance first.
    """
    template = clouds[0]
    for _ in range(rounds):
        ordered = take(clouds, align(clouds, template)).double()
        template = ordered.mean(dim=0)
    count = min(modes, len(clouds) - 1, template.numel())
    if count < 1:
        return template.unsqueeze(0).to(clouds)
    _, spread, axes = torch.linalg.svd((ordered - template).flatten(1), full_matrices=False)
    scaled = axes[:count] * (spread[:count] / (len(clouds) - 1) ** 0.5).unsqueeze(1)
    largest = scaled.gather(1, scaled.abs().argmax(dim=1, keepdim=True))
    scaled = torch.where(largest < 0, -scaled, scaled)
    return torch.cat([template.unsqueeze(0), scaled.unflatten(1, (-1, 3))]).to(clouds)
