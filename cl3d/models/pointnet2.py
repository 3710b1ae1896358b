"""PointNet++ for classification, with single-scale or multi-scale grouping.

C. R. Qi, L. Yi, H. Su, L. J. Guibas, "PointNet++: Deep hierarchical feature learning on point sets in a
metric space", NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models.base import coordinates_and_features
from cl3d.models.grouped_layers import check_network, check_sizes, dropped_classifier, grouped_layers
from cl3d.models.pooled_last import PooledLast
from cl3d.models.set_abstraction import Ball, SetAbstraction
from cl3d.ops.grouping import in_order

SINGLE_SCALE = (
    (Ball(0.2, 32, (64, 64, 128)),),
    (Ball(0.4, 64, (128, 128, 256)),),
)
MULTI_SCALE = (
    (Ball(0.1, 16, (32, 32, 64)), Ball(0.2, 32, (64, 64, 128)), Ball(0.4, 128, (64, 96, 128))),
    (Ball(0.2, 32, (64, 64, 128)), Ball(0.4, 64, (128, 128, 256)), Ball(0.8, 128, (128, 128, 256))),
)
COUNTS, CHANNELS, HEAD = (512, 128), (256, 512, 1024), (512, 256)


class PointNet2(PooledLast):
    """Set abstractions one after another, shared layers on the last centres, a max, a classifier.

    The layers, balls and dropout are those of the paper's appendix B.1, for clouds of radius 1. The feature
    map is that of the last centres, before the max.

    Deviates: a ball holds the nearest points within its radius, not the first in the order of the points,
    on which the feature would then hang (:func:`cl3d.ops.ball_query.ball_query`); sampling begins with the
    point farthest from the mean, not a random one; clouds of fewer points than centres use all of them; the
    first stage divides offsets by the radius (:class:`cl3d.models.set_abstraction.SetAbstraction` says why).

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        stages: the balls of each set abstraction; their features are put side by side.
        counts: centres of each set abstraction.
        channels: outputs of the layers on the last centres; the last is ``feature_dim``.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in
            :class:`cl3d.models.PointNet`; statistics run over the points of all groups.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        stages: Sequence[Sequence[Ball]] = SINGLE_SCALE,
        counts: Sequence[int] = COUNTS,
        channels: Sequence[int] = CHANNELS,
        head: Sequence[int] = HEAD,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        _check(stages, counts, channels, head)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, channels[-1]
        self.stages = nn.ModuleList()
        width = in_channels - 3
        for count, balls in zip(counts, stages, strict=True):
            self.stages.append(SetAbstraction(width, count, balls, norm, relative=not self.stages))
            width = sum(ball.channels[-1] for ball in balls)
        self.layers = grouped_layers((3 + width, *channels), norm)
        self.classifier = dropped_classifier((channels[-1], *head), num_classes, norm, dropout)

    def before_last(self, points: Tensor) -> Tensor:
        """See :class:`~cl3d.models.pooled_last.PooledLast`."""
        points, features = coordinates_and_features(in_order(points)[0])
        for stage in self.stages:
            points, features = stage(points, features)
        assert features is not None
        before_last: Tensor = self.layers[:-1](torch.cat([points, features], dim=-1))
        return before_last


def pointnet2_ssg(num_classes: int, **overrides: Any) -> PointNet2:
    """PointNet++ with single-scale grouping; ``overrides`` are arguments of :class:`PointNet2`."""
    return PointNet2(num_classes, **{"stages": SINGLE_SCALE, **overrides})


def pointnet2_msg(num_classes: int, **overrides: Any) -> PointNet2:
    """PointNet++ with three radii at each centre; ``overrides`` as in :func:`pointnet2_ssg`."""
    return PointNet2(num_classes, **{"stages": MULTI_SCALE, **overrides})


def _check(
    stages: Sequence[Sequence[Ball]], counts: Sequence[int], channels: Sequence[int], head: Sequence[int]
) -> None:
    check_sizes("counts", counts)
    check_sizes("channels", channels)
    check_sizes("head", head, least=0)
    if len(stages) != len(counts) or not all(stages):
        raise InputError(
            f"{len(stages)} stages and {len(counts)} counts: give as many of both, and each stage a ball"
        )
