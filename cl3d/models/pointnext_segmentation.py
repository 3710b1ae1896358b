"""PointNeXt-S for part segmentation.

G. Qian, Y. Li, H. Peng, J. Mai, H. Hammoud, M. Elhoseiny, B. Ghanem, "PointNeXt: Revisiting PointNet++ with
improved training and scaling strategies", NeurIPS 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cl3d.errors import check_positive, check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayer
from cl3d.models.feature_propagation import FeaturePropagation
from cl3d.models.grouped_layers import check_segmentation_net
from cl3d.models.pointnext import ResidualAbstraction
from cl3d.ops.grouping import in_order, take

LAYERS = 3
"""Of each residual set abstraction."""

GLOBAL = (64, 128)
"""Lengths of the maxima over the last stage's points but one, and over those of the last."""


class PointNeXtSegmentation(SegmentationNet):
    """A linear embedding, stages that halve the points and double the channels, feature propagations back.

    Sizes are those of the authors' setting for ShapeNetPart (github.com/guochengqian/PointNeXt,
    cfgs/shapenetpart/pointnext-s.yaml): at the last propagation the maxima of a layer on the last two
    stages and the class stand beside each point; before the last layer, the max and the mean over points.

    Deviates: a ball holds the nearest points within its radius (:func:`cl3d.ops.ball_query.ball_query`),
    and sampling begins with the point farthest from the mean. The authors' net is given normals and the
    height, too (``in_channels=7``).

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        width: of the embedding.
        stages: number of them, at least 2.
        radius: of the first stage's balls, for clouds of radius 1.
        radius_growth: factor of the radius from each stage to the next.
        k: points in each ball.
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
        width: int = 32,
        stages: int = 4,
        radius: float = 0.1,
        radius_growth: float = 2.5,
        k: int = 32,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        for name, value, least in (("width", width, 1), ("stages", stages, 2), ("k", k, 1)):
            check_whole(name, value, least)
        check_positive("radius", radius)
        check_positive("radius_growth", radius_growth)
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = 3 * width
        self.embedding = nn.Linear(in_channels, width)
        widths = [width * 2**depth for depth in range(stages + 1)]
        self.stages, self.propagations = nn.ModuleList(), nn.ModuleList()
        for depth, channels in enumerate(widths[:-1]):
            reach = radius * radius_growth**depth
            self.stages.append(ResidualAbstraction(channels, reach, k, norm, LAYERS))
            before = channels if depth else channels + sum(GLOBAL) + num_shapes
            self.propagations.append(FeaturePropagation(before, 2 * channels, (channels, channels), norm))
        self.globals = nn.ModuleList(
            [nn.Sequential(nn.Linear(c, g), nn.ReLU()) for c, g in zip(widths[-2:], GLOBAL, strict=True)]
        )
        self.hidden = ContextLayer(width, 2 * width, 3 * width, norm)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(3 * width, num_parts))

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        levels = [(points[..., :3], self.embedding(points))]
        for stage in self.stages:
            levels.append(stage(*levels[-1]))
        pairs = zip(self.globals, levels[-2:], strict=True)
        whole = [layer(features).max(dim=1).values for layer, (_, features) in pairs]
        context = torch.cat([*whole, self.one_hot(points, shape_class)], dim=1)
        places, first = levels[0]
        levels[0] = (places, torch.cat([first, context.unsqueeze(1).expand(-1, first.shape[1], -1)], dim=2))
        places, x = levels[-1]
        for propagation, (earlier, before) in zip(reversed(self.propagations), levels[-2::-1], strict=True):
            places, x = earlier, propagation(earlier, before, places, x)
        x = self.hidden(x, torch.cat([x.max(dim=1).values, x.mean(dim=1)], dim=1))
        return take(x, back)
