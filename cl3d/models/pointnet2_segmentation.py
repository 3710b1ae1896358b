"""PointNet++ for part segmentation, with single-scale or multi-scale grouping.

C. R. Qi, L. Yi, H. Su, L. J. Guibas, "PointNet++: Deep hierarchical feature learning on point sets in a
metric space", NeurIPS 2017, appendix B.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models.base import SegmentationNet, coordinates_and_features
from cl3d.models.feature_propagation import FeaturePropagation
from cl3d.models.grouped_layers import GroupedLayer, check_segmentation_net, check_sizes, grouped_layers
from cl3d.models.set_abstraction import Ball, SetAbstraction
from cl3d.ops.grouping import in_order, take

SINGLE_SCALE = (
    (Ball(0.2, 64, (64, 64, 128)),),
    (Ball(0.4, 64, (128, 128, 256)),),
)
MULTI_SCALE = (
    (Ball(0.1, 32, (32, 32, 64)), Ball(0.2, 64, (64, 64, 128)), Ball(0.4, 128, (64, 96, 128))),
    (Ball(0.4, 64, (128, 128, 256)), Ball(0.8, 128, (128, 196, 256))),
)
COUNTS, CHANNELS, HIDDEN = (512, 128), (256, 512, 1024), 128
SINGLE_PROPAGATION = ((128, 128, 128), (256, 128), (256, 256))
MULTI_PROPAGATION = ((128, 128), (256, 128), (256, 256))
"""Layers of the feature propagations, that to all points first."""


class PointNet2Segmentation(SegmentationNet):
    """Set abstractions down to one feature of the cloud, feature propagations back to all points, a layer.

    Sizes are those of the authors' code (github.com/charlesq34/pointnet2, models/pointnet2_part_seg.py, and
    with multi-scale grouping pointnet2_part_seg_msg_one_hot.py). In the latter the class joins at the last
    propagation, beside the points themselves.

    Deviates: the class joins with single-scale grouping, too, where the authors' code has none; their nets
    are given normals, too (``in_channels=6``); those of :class:`cl3d.models.PointNet2`.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        stages: the balls of each set abstraction; their features are put side by side.
        counts: centres of each set abstraction.
        channels: outputs of the layers on the last centres; the cloud's feature is their max.
        propagations: outputs of the layers of each feature propagation, one for each stage and one for the
            cloud's feature; the first leads to all points.
        hidden: outputs of the last layer, ``feature_dim``.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        dropout: probability before the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        stages: Sequence[Sequence[Ball]] = SINGLE_SCALE,
        counts: Sequence[int] = COUNTS,
        channels: Sequence[int] = CHANNELS,
        propagations: Sequence[Sequence[int]] = SINGLE_PROPAGATION,
        hidden: int = HIDDEN,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        _check(stages, counts, channels, propagations, hidden)
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = hidden
        widths = [in_channels - 3]
        self.stages = nn.ModuleList()
        for count, balls in zip(counts, stages, strict=True):
            self.stages.append(SetAbstraction(widths[-1], count, balls, norm, relative=not self.stages))
            widths.append(sum(ball.channels[-1] for ball in balls))
        self.layers = grouped_layers((3 + widths[-1], *channels), norm)
        before = [num_shapes + in_channels, *widths[1:]]
        after = [*(sizes[-1] for sizes in propagations[1:]), channels[-1]]
        self.propagations = nn.ModuleList(
            [FeaturePropagation(*sizes, norm) for sizes in zip(before, after, propagations, strict=True)]
        )
        self.hidden = GroupedLayer(propagations[0][-1], hidden, norm)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, num_parts))

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        classes = self.one_hot(points, shape_class).unsqueeze(1).expand(-1, points.shape[1], -1)
        places, features = coordinates_and_features(points)
        levels = [(places, torch.cat([classes, points], dim=2))]
        for stage in self.stages:
            places, features = stage(places, features)
            levels.append((places, features))
        whole = self.layers(torch.cat(levels[-1], dim=2))
        # the cloud's feature stands at one place, so that all points are given it
        places, features = places[:, :1], whole.max(dim=1, keepdim=True).values
        for propagation, (earlier, before) in zip(reversed(self.propagations), reversed(levels), strict=True):
            places, features = earlier, propagation(earlier, before, places, features)
        return take(self.hidden(features), back)


def pointnet2_ssg_segmentation(num_shapes: int, num_parts: int, **overrides: Any) -> PointNet2Segmentation:
    """With single-scale grouping; ``overrides`` are arguments of :class:`PointNet2Segmentation`."""
    return PointNet2Segmentation(num_shapes, num_parts, **overrides)


def pointnet2_msg_segmentation(num_shapes: int, num_parts: int, **overrides: Any) -> PointNet2Segmentation:
    """With several radii at each centre; ``overrides`` as in :func:`pointnet2_ssg_segmentation`."""
    multi: dict[str, Any] = {"stages": MULTI_SCALE, "propagations": MULTI_PROPAGATION}
    return PointNet2Segmentation(num_shapes, num_parts, **{**multi, **overrides})


def _check(
    stages: Sequence[Sequence[Ball]],
    counts: Sequence[int],
    channels: Sequence[int],
    propagations: Sequence[Sequence[int]],
    hidden: int,
) -> None:
    check_sizes("hidden", (hidden,))
    check_sizes("counts", counts)
    check_sizes("channels", channels)
    for sizes in propagations:
        check_sizes("propagations", sizes)
    if not len(stages) == len(counts) == len(propagations) - 1 or not all(stages):
        raise InputError(
            f"{len(stages)} stages, {len(counts)} counts and {len(propagations)} propagations: give as many "
            "counts as stages, one propagation more, and each stage a ball"
        )
