"""PointNeXt-S for classification: PointNet++ with residual set abstractions and offsets relative to radii.

G. Qian, Y. Li, H. Peng, J. Mai, H. Hammoud, M. Elhoseiny, B. Ghanem, "PointNeXt: Revisiting PointNet++ with
improved training and scaling strategies", NeurIPS 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import check_positive, check_whole
from cl3d.models.grouped_layers import (
    GroupedLayer,
    check_network,
    check_sizes,
    dropped_classifier,
    grouped_layers,
)
from cl3d.models.pooled_last import PooledLast
from cl3d.ops.ball_query import ball_query
from cl3d.ops.grouping import farthest_from_centre, in_order, take


class PointNeXt(PooledLast):
    """A linear embedding, stages that halve the points and double the channels, a max, a classifier.

    This is the S model, which has no inverted residual blocks. The feature map is that of two more layers on
    the last points, before the max.

    Deviates: a ball holds the nearest points within its radius (:func:`cl3d.ops.ball_query.ball_query`),
    and sampling begins with the point farthest from the mean. The height, which the authors' setting for
    ScanObjectNN has beside the coordinates, is theirs to add who call it (``in_channels=4``).

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        width: of the embedding; 32 in the paper, 64 in the authors' setting for ModelNet40.
        stages: number of them.
        radius: of the first stage's balls, for clouds of radius 1.
        radius_growth: factor of the radius from each stage to the next.
        k: points in each ball.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        width: int = 32,
        stages: int = 4,
        radius: float = 0.15,
        radius_growth: float = 1.5,
        k: int = 32,
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        for name, value in (("width", width), ("stages", stages), ("k", k)):
            check_whole(name, value, 1)
        check_positive("radius", radius)
        check_positive("radius_growth", radius_growth)
        check_sizes("head", head, least=0)
        self.embedding = nn.Linear(in_channels, width)
        self.stages = nn.ModuleList()
        for depth in range(stages):
            self.stages.append(ResidualAbstraction(width, radius * radius_growth**depth, k, norm))
            width *= 2
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, width
        self.layers = grouped_layers((3 + width, width, width), norm)
        self.classifier = dropped_classifier((width, *head), num_classes, norm, dropout)

    def before_last(self, points: Tensor) -> Tensor:
        """See :class:`~cl3d.models.pooled_last.PooledLast`."""
        points, _ = in_order(points)
        x, points = self.embedding(points), points[..., :3]
        for stage in self.stages:
            points, x = stage(points, x)
        before_last: Tensor = self.layers[:-1](torch.cat([points, x], dim=-1))
        return before_last


class ResidualAbstraction(nn.Module):
    """Half of the points; at each the max over its ball of some layers, plus a linear map of its feature.

    The layers, two at least, take the offset over the radius, and the feature; the activation comes after
    the sum.
    """

    def __init__(self, channels: int, radius: float, k: int, norm: str, layers: int = 2) -> None:
        super().__init__()
        self.radius, self.k = radius, k
        self.first = GroupedLayer(3 + channels, channels, norm)
        self.between = grouped_layers((channels,) * (layers - 1), norm)
        self.second = GroupedLayer(channels, 2 * channels, norm, slope=1)
        self.skip = nn.Linear(channels, 2 * channels)

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3), features (b, p, c) → half as many of both, the latter of 2c channels."""
        picks = farthest_from_centre(points, (points.shape[1] + 1) // 2)
        centres = take(points, picks)
        near = ball_query(points, centres, self.radius, self.k)
        groups = self.first.offsets(points / self.radius, features, near, centres / self.radius)
        pooled = self.second(self.between(groups)).max(dim=2).values
        return centres, nn.functional.relu(pooled + self.skip(take(features, picks)))
