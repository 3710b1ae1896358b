"""What the benchmarks compute on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds, normalize
from cl3d.random import generator

SEED = 0


def ellipsoids(clouds: int, points: int) -> Tensor:
    """Points on random ellipsoids, (clouds, points, 3): surfaces, as scans and meshes are."""
    draws = generator(SEED, "benchmark")
    axes = 0.2 + torch.rand(clouds, 1, 3, generator=draws)
    sphere = nn.functional.normalize(torch.randn(clouds, points, 3, generator=draws), dim=2)
    return normalize(sphere * axes)


def classes_of(classes: int, each: int, points: int) -> PointClouds:
    """As many clouds of each class."""
    return PointClouds(ellipsoids(classes * each, points), torch.arange(classes).repeat_interleave(each))
