"""SADM: equal sorted feature maps, for synthetic clouds as fine as the real ones or coarser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import vmap

from cl3d.clouds import PointClouds
from cl3d.distill.objectives.kernels import Sample, gaussian_mmd
from cl3d.distill.views import by_class, feature_map, pool
from cl3d.errors import InputError, check_positive, check_range
from cl3d.models import Net
from cl3d.ops.fps import fps_partition
from cl3d.ops.sorting import sort_rows
from cl3d.ops.uniformity import uniformity, uniformity_weights

FORMS = ("kernel", "squared")


@dataclass(frozen=True)
class SortedFeatureMatching:
    """Matches feature maps whose channels are each sorted along the points (SADM, Yim et al., 2025).

    Sorting makes maps of unordered points comparable entry by entry. alpha weighs the sorted maps, beta
    the pooled features (kernel form, always).

    Synthetic clouds of q points are compared with real clouds of p > q points part by part: each real
    cloud is cut into p // q parts by repeated farthest point sampling, and a part counts the less the
    less its points are spread as the whole cloud's (Morphing, eq. 8 to 10).

    Through a net that segments, the map is that before its last layer, given the class; points of all parts
    are sorted together (Morphing, table 3, says no more of it).

    Attributes:
        form: ``"kernel"``: MMD of the maps as vectors (Morphing, eq. 7); ``"squared"``: the squared distance
            of the mean maps, summed over channels and averaged over points.
        alpha, beta: weights; the second may be 0.
        absolute: sort the maps' absolute values, as the public code of Morphing does.
        strictness: lambda of eq. 9.
    """

    form: str = "kernel"
    alpha: float = 0.2
    beta: float = 1e-3
    absolute: bool = False
    strictness: float = 1000.0
    joint: ClassVar[bool] = False
    needs_target: ClassVar[bool] = False
    second_order: ClassVar[bool] = False
    takes_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise InputError(f"form={self.form!r} is unknown: give one of {', '.join(FORMS)}")
        check_positive("alpha", self.alpha)
        check_range("beta", self.beta, 0, float("inf"))
        check_range("strictness", self.strictness, 0, float("inf"))

    def passes(self, synthetic: float) -> tuple[float, float]:
        """See :class:`~cl3d.distill.Objective`."""
        del synthetic
        return 0.8, 1.6

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        maps, features = self._views(net, synthetic)
        to_maps, to_features = self._to_maps(maps), self._to_features(features)
        total = maps.new_zeros(())
        for points, weight in self._cut(real.points, synthetic.num_points, 1):
            with torch.no_grad():
                wanted_maps, wanted_features = self._views(net, PointClouds(points, real.labels))
            total = total + weight[0] * (to_maps(wanted_maps) + to_features(wanted_features))
        return total

    def losses(self, net: Net, real: PointClouds, synthetic: PointClouds, classes: int) -> Tensor:
        """See :class:`~cl3d.distill.objectives.MatchesTogether`."""
        found = [by_class(view, classes) for view in self._views(net, synthetic)]
        total = found[0].new_zeros(classes)
        for points, weights in self._cut(real.points, synthetic.num_points, classes):
            with torch.no_grad():
                views = self._views(net, PointClouds(points, real.labels))
            wanted = [by_class(view, classes) for view in views]
            total = total + weights * vmap(self._distance)(*wanted, *found)
        return total

    def _distance(
        self, wanted_maps: Tensor, wanted_features: Tensor, maps: Tensor, features: Tensor
    ) -> Tensor:
        """Of sorted maps and pooled features to others."""
        return self._to_maps(maps)(wanted_maps) + self._to_features(features)(wanted_features)

    def _views(self, net: Net, clouds: PointClouds) -> tuple[Tensor, Tensor]:
        """Sorted maps, (b, d, q), and pooled features."""
        features = feature_map(net, clouds)
        maps = features.abs() if self.absolute else features
        return sort_rows(maps.mT), pool(net, features)

    def _to_maps(self, maps: Tensor) -> Callable[[Tensor], Tensor]:
        """The distance of other sorted maps to these, (b, d, q)."""
        if self.form == "squared":
            mean = maps.mean(dim=0)
            return lambda wanted: self.alpha * (wanted.mean(dim=0) - mean).square().mean(dim=1).sum()
        sample = Sample(maps.flatten(1))
        return lambda wanted: self.alpha * gaussian_mmd(wanted.flatten(1), sample)

    def _to_features(self, features: Tensor) -> Callable[[Tensor], Tensor]:
        """The distance of other pooled features to these, (b, d)."""
        if self.beta == 0:
            return lambda wanted: wanted.new_zeros(())
        sample = Sample(features)
        return lambda wanted: self.beta * gaussian_mmd(wanted, sample)

    def _cut(self, points: Tensor, size: int, classes: int) -> list[tuple[Tensor, Tensor]]:
        """Real clouds with ``size`` points each, and each such set's weight in each class, (classes,)."""
        available = points.shape[1]
        if size > available:
            raise InputError(
                f"synthetic clouds have {size} points, the real ones {available}: "
                "sorted feature maps compare clouds as fine as the real ones or coarser"
            )
        if size == available:
            return [(points, points.new_ones(classes))]
        rows = fps_partition(points, available // size, size)
        parts = [points.gather(1, part.unsqueeze(-1).expand(-1, -1, 3)) for part in rows.unbind(1)]
        whole, *spread = (by_class(uniformity(p), classes).mean(dim=1) for p in (points, *parts))
        weights = uniformity_weights(whole, torch.stack(spread, dim=1), self.strictness)
        return list(zip(parts, weights.unbind(dim=1), strict=True))
