"""Set abstraction: sampled centres, each with a feature of the points around it.

C. R. Qi, L. Yi, H. Su, L. J. Guibas, "PointNet++: Deep hierarchical feature learning on point sets in a
metric space", NeurIPS 2017, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cl3d.errors import check_positive, check_whole
from cl3d.models.grouped_layers import GroupedLayer, check_sizes, grouped_layers
from cl3d.ops.ball_query import ball_query
from cl3d.ops.grouping import farthest_from_centre, take


@dataclass(frozen=True)
class Ball:
    """Groups of one radius, and the layers that they go through.

    Attributes:
        radius: in the unit of the points; clouds here have radius 1.
        k: points in each group.
        channels: outputs of the shared layers, the last those of the group.
    """

    radius: float
    k: int
    channels: Sequence[int]

    def __post_init__(self) -> None:
        check_positive("radius", self.radius)
        check_whole("k", self.k, 1)
        check_sizes("channels", self.channels)


class SetAbstraction(nn.Module):
    """Farthest points as centres; per ball, shared layers on (offset, feature) and a max; balls side by side.

    Offsets that stand for all of the geometry, as in a first stage, are better divided by the radius. A norm
    takes that away again, but running statistics, which start at 1, would need a hundred steps to fall to the
    variance of small offsets, and a network that was trained for fewer would be useless in eval mode.

    Args:
        inputs: length of the features; 0 for points without any.
        count: centres; all points where there are fewer.
        balls: one for single-scale grouping, several for multi-scale grouping.
        norm: see :class:`cl3d.models.layers.SharedLayer`.
        relative: divide offsets by the radius.
    """

    def __init__(
        self, inputs: int, count: int, balls: Sequence[Ball], norm: str, relative: bool = False
    ) -> None:
        super().__init__()
        self.count, self.balls, self.relative = count, balls, relative
        self.outputs = sum(ball.channels[-1] for ball in balls)
        self.layers = nn.ModuleList([grouped_layers((3 + inputs, *ball.channels), norm) for ball in balls])

    def forward(self, points: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3) and features (b, p, inputs) → centres (b, q, 3) and theirs (b, q, outputs)."""
        centres = take(points, farthest_from_centre(points, self.count))
        maps = []
        for ball, layers in zip(self.balls, self.layers, strict=True):
            assert isinstance(layers, nn.Sequential)
            first = layers[0]
            assert isinstance(first, GroupedLayer)
            near = ball_query(points, centres, ball.radius, ball.k)
            scale = ball.radius if self.relative else 1.0
            if features is None:
                groups = first((take(points, near) - centres.unsqueeze(2)) / scale)
            else:
                groups = first.offsets(points / scale, features, near, centres / scale)
            maps.append(layers[1:](groups).max(dim=2).values)
        return centres, torch.cat(maps, dim=-1)
