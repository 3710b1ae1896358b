"""Brings the clouds that a generator makes near given ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cl3d.clouds import normalize
from cl3d.distill.optimizers import Adam, rate_factor, scale_rates
from cl3d.models.siren import ModulatedSiren
from cl3d.ops.assignment import align
from cl3d.ops.grouping import take
from cl3d.progress import Progress, silent
from cl3d.random import generator

NoiseFor = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor | None]]
"""Draws noise, (b, n), for b clouds and n of their points, given by positions; and the group of each, within
which points are paired, or None."""

CLOUDS_PER_UPDATE = 16
POINTS_PER_UPDATE = 256
"""At most: the time of an exact assignment grows with the points cubed."""


def fit_to_clouds(
    siren: ModulatedSiren,
    codes: nn.Parameter,
    points: Tensor,
    noise_for: NoiseFor,
    updates: int,
    lr: float,
    seed: int,
    progress: Progress = silent,
) -> None:
    """Fits network and codes to (m, p, 3) normalised clouds, one for each code, in place.

    Each update draws clouds, points of these and noise, pairs the points one to one (exactly) and lowers
    the mean squared distance of the pairs: Adam with a cosine schedule. The Chamfer distance would let
    points crowd wherever they are near enough, and networks that pool over points see the crowds.

    Args:
        noise_for: draws the noise.
    """
    optimizer = Adam(lr=lr)([codes, *siren.parameters()])
    with progress("fitting", updates, each="update") as advance:
        for update in range(updates):
            scale_rates(optimizer, rate_factor("cosine", update, updates))
            optimizer.zero_grad(set_to_none=True)
            draws = generator(seed, "fit", update)
            distance = _paired_distance(siren, codes, points, noise_for, draws)
            distance.backward()
            optimizer.step()
            advance(distance=float(distance.detach()))
    optimizer.zero_grad(set_to_none=True)


def _paired_distance(
    siren: ModulatedSiren, codes: nn.Parameter, points: Tensor, noise_for: NoiseFor, draws: torch.Generator
) -> Tensor:
    """Mean squared distance of some points of some clouds from what fresh noise makes, paired one to one."""
    clouds, num_points = points.shape[:2]
    some = torch.randperm(clouds, generator=draws)[:CLOUDS_PER_UPDATE].to(points.device)
    kept = torch.randperm(num_points, generator=draws)[:POINTS_PER_UPDATE].to(points.device)
    noise, groups = noise_for(some, kept, draws)
    decoded, wanted = normalize(siren(noise, codes[some])), points[some][:, kept]
    partners = take(wanted, align(wanted, decoded, groups))
    return (decoded - partners).square().sum(dim=-1).mean()
