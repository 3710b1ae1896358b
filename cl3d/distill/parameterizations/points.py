"""Raw points: a set stored as the coordinates of its clouds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError


class PointSet(SyntheticSet):
    """Clouds stored point by point, as float32.

    Args:
        clouds: in class order.

    Attributes:
        points: (m, p, 3) parameter.
    """

    kind = "points"

    def __init__(self, clouds: PointClouds) -> None:
        super().__init__(clouds.labels.clone())
        self.points = nn.Parameter(clouds.points.detach().to(torch.float32, copy=True))

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The clouds as stored, or that many of their points; see :class:`SyntheticSet`."""
        clouds = PointClouds(self.points, self.labels)
        if num_points is None or num_points == clouds.num_points:
            return clouds
        return clouds.resample(num_points, generator or torch.Generator().manual_seed(0))

    def prune(self, clouds_per_class: int) -> PointSet:
        """Keeps the first clouds of each class: initializers pick the most important first."""
        order = torch.arange(len(self))
        kept = torch.cat([order[self.labels.cpu() == c][:clouds_per_class] for c in self.clouds_per_class])
        pruned = PointSet(PointClouds(self.points.detach()[kept], self.labels[kept]))
        pruned.info = dict(self.info)
        return pruned

    def config(self) -> dict[str, Any]:
        """Nothing: the tensors say it all."""
        return {}

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> PointSet:
        """From a file's tensors; see :class:`SyntheticSet`."""
        points = tensors.get("points")
        if set(tensors) != {"points"} or points is None or config:
            raise InputError(f"a set of points holds one tensor 'points', not {sorted(tensors)} and {config}")
        if points.dtype != torch.float32 or not bool(torch.isfinite(points).all()):
            raise InputError("a set of points holds finite float32 coordinates")
        return cls(PointClouds(points, labels))


@dataclass(frozen=True)
class Points:
    """Stores each cloud as its points: one cloud of p points is 12 p bytes."""

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """As many whole clouds as fit."""
        return nbytes // cloud_nbytes(num_points)

    def start(self, picked: PointClouds, shares: dict[int, int], seed: int) -> PointSet:
        """A copy of the picked clouds."""
        del shares, seed
        return PointSet(picked)
