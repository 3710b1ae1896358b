"""DM: equal mean features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.models import Backbone


@dataclass(frozen=True)
class DistributionMatching:
    """Squared distance between the mean features of real and synthetic clouds.

    || mean f(real) - mean f(synthetic) ||^2 of one class, f the feature after the max-pool of a
    network with random weights (Zhao and Bilen, "Dataset condensation with distribution matching",
    WACV 2023, eq. 4).
    """

    joint: ClassVar[bool] = False
    needs_target: ClassVar[bool] = False
    second_order: ClassVar[bool] = False
    passes: ClassVar[tuple[float, float]] = (0.4, 1.0)

    def __call__(self, net: Backbone, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.objectives.Objective`."""
        return self.compare(self.means(net, real, False), self.means(net, synthetic, True))

    def means(self, net: Backbone, clouds: PointClouds, differentiable: bool) -> Sequence[Tensor]:
        """The mean feature."""
        with torch.set_grad_enabled(differentiable):
            return [net.features(clouds.points).mean(dim=0)]

    def compare(self, wanted: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
        """Squared."""
        return (wanted[0] - found[0]).square().sum()
