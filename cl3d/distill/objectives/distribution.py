"""DM: equal mean features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.views import by_class, feature_map, pool, pooled, shared_parts
from cl3d.models import Net, SegmentationNet


@dataclass(frozen=True)
class DistributionMatching:
    """Squared distance between the mean features of real and synthetic clouds.

    || mean f(real) - mean f(synthetic) ||^2 of one class, f the feature after the max-pool of a
    network with random weights (Zhao and Bilen, "Dataset condensation with distribution matching",
    WACV 2023, eq. 4).

    Through a net that segments it is the sum of these distances over the class's parts, f being the max over
    the part's points and the mean that over the clouds which have it: labels stay with their points. Parts
    that real or synthetic clouds lack do not count. (This library's choice.)
    """

    joint: ClassVar[bool] = False
    needs_target: ClassVar[bool] = False
    second_order: ClassVar[bool] = False
    takes_parts: ClassVar[bool] = True

    def passes(self, synthetic: float) -> tuple[float, float]:
        """See :class:`~cl3d.distill.Objective`."""
        del synthetic
        return 0.4, 1.0

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        if not isinstance(net, SegmentationNet):
            return self.compare(self.means(net, real, False), self.means(net, synthetic, True))
        parts = shared_parts(real, synthetic)
        with torch.no_grad():
            targets = _part_means(net, real, parts)
        return (targets - _part_means(net, synthetic, parts)).square().sum()

    def losses(self, net: Net, real: PointClouds, synthetic: PointClouds, classes: int) -> Tensor:
        """See :class:`~cl3d.distill.objectives.MatchesTogether`."""
        with torch.no_grad():
            wanted = by_class(pooled(net, real), classes)
        found = by_class(pooled(net, synthetic), classes)
        return (wanted.mean(dim=1) - found.mean(dim=1)).square().sum(dim=1)

    def means(self, net: Net, clouds: PointClouds, differentiable: bool) -> Sequence[Tensor]:
        """The mean feature."""
        with torch.set_grad_enabled(differentiable):
            return [pooled(net, clouds).mean(dim=0)]

    def compare(self, wanted: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
        """Squared."""
        return (wanted[0] - found[0]).square().sum()


def _part_means(net: SegmentationNet, clouds: PointClouds, parts: Sequence[int]) -> Tensor:
    """The mean feature of each part over the clouds that have it, (parts, d)."""
    assert clouds.parts is not None
    features, means = feature_map(net, clouds), []
    for part in parts:
        mine = clouds.parts == part
        there = mine.any(dim=1)
        of_part = features[there].masked_fill(~mine[there].unsqueeze(2), -torch.inf)
        means.append(pool(net, of_part).mean(dim=0))
    return torch.stack(means) if means else 0 * features.sum()
