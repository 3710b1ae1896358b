"""Point Transformer for part segmentation.

H. Zhao, L. Jiang, J. Jia, P. H. S. Torr, V. Koltun, "Point transformer", ICCV 2021, section 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayer
from cl3d.models.grouped_layers import GroupedLayer, check_segmentation_net
from cl3d.models.point_transformer import Block, Transition, check_stages
from cl3d.ops.grouping import in_order, nearest_points, take
from cl3d.ops.interpolate import interpolate


class PointTransformerSegmentation(SegmentationNet):
    """Stages of a quarter of the points each and back, with attention blocks at each level on both ways.

    Sizes are those of the public code for segmentation that the authors point to
    (github.com/POSTECH-CVLab/point-transformer).

    Deviates: that code segments scenes, and the paper does not say how the class of a shape joins; here it
    stands beside the mean of the last stage's features, which joins each of them. The rest as
    :class:`cl3d.models.PointTransformer`.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        channels: of each stage; the first are ``feature_dim``.
        blocks: attention blocks of each stage on the way down; on the way back there is one.
        neighbours: of each point, in each stage.
        stride: points of a stage to those of the next.
        share: channels that share a weight; divides all channels.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        blocks: Sequence[int] = (1, 2, 3, 5, 2),
        neighbours: Sequence[int] = (8, 16, 16, 16, 16),
        stride: int = 4,
        share: int = 8,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, 0.0)
        check_stages(channels, blocks, neighbours, stride, share)
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim, self.neighbours = channels[0], neighbours
        first = GroupedLayer(in_channels, channels[0], norm)
        sizes = zip(channels, channels[1:], neighbours[1:], strict=False)
        self.down = nn.ModuleList([first, *(Transition(a, b, stride, k, norm) for a, b, k in sizes)])
        self.before, self.after = (
            nn.ModuleList([Blocks(c, count, share, norm) for c, count in zip(channels, counts, strict=True)])
            for counts in (blocks, [1] * len(blocks))
        )
        last = channels[-1]
        self.whole = nn.Sequential(nn.Linear(last + num_shapes, last), nn.ReLU())
        self.join = ContextLayer(last, last, last, norm)
        self.up = nn.ModuleList([TransitionUp(a, b, norm) for a, b in pairwise(channels)])
        self.hidden = GroupedLayer(channels[0], channels[0], norm)
        self.classifier = nn.Linear(channels[0], num_parts)

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        places, x = points[..., :3], self.down[0](points)
        levels = []
        for i, blocks in enumerate(self.before):
            if i > 0:
                places, x = self.down[i](places, x)
            near = nearest_points(places, places, self.neighbours[i])
            offsets = places.unsqueeze(2) - take(places, near)
            x = blocks(x, near, offsets)
            levels.append((places, x, near, offsets))
        whole = torch.cat([x.mean(dim=1), self.one_hot(points, shape_class)], dim=1)
        x = self.join(x, self.whole(whole))
        for i in reversed(range(len(levels))):
            here, before, near, offsets = levels[i]
            if i < len(levels) - 1:
                x = self.up[i](here, before, places, x)
            places, x = here, self.after[i](x, near, offsets)
        return take(self.hidden(x), back)


class Blocks(nn.Module):
    """Attention blocks of one level, all among the same neighbours."""

    def __init__(self, channels: int, count: int, share: int, norm: str) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(channels, share, norm) for _ in range(count)])

    def forward(self, x: Tensor, near: Tensor, offsets: Tensor) -> Tensor:
        """As :class:`cl3d.models.point_transformer.Block`."""
        for block in self.blocks:
            x = block(x, near, offsets)
        return x


class TransitionUp(nn.Module):
    """A layer on what points had before sampling, plus another's interpolated outputs at those sampled."""

    def __init__(self, outputs: int, inputs: int, norm: str) -> None:
        super().__init__()
        self.own, self.sampled = GroupedLayer(outputs, outputs, norm), GroupedLayer(inputs, outputs, norm)

    def forward(self, points: Tensor, before: Tensor, sampled: Tensor, features: Tensor) -> Tensor:
        """(b, p, 3), (b, p, outputs), (b, q, 3), (b, q, inputs) → (b, p, outputs)."""
        result: Tensor = self.own(before) + interpolate(self.sampled(features), sampled, points)
        return result
