"""PointNet for part segmentation.

C. R. Qi, H. Su, K. Mo, L. J. Guibas, "PointNet: Deep learning on point sets for 3D classification and
segmentation", CVPR 2017, appendix C and figure 9.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayers
from cl3d.models.grouped_layers import check_segmentation_net, check_sizes, grouped_layers
from cl3d.models.transform_net import TransformNet

POINT_TRANSFORM, FEATURE_TRANSFORM = ((64, 128, 1024), (128, 128)), ((256, 1024), (512, 256))
"""Layers before and after the max of the two transform networks in the authors' code."""

TRANSFORMED = 3
"""The layer whose output the second transform is applied to, counted from 1."""


class PointNetSegmentation(SegmentationNet):
    """Layers shared by all points; beside the outputs of all of them their max and the class; more layers.

    Sizes are those of figure 9 and of the authors' code (github.com/charlesq34/pointnet, part_seg).

    Deviates: the authors' code has a branch that predicts the class beside the parts, and a loss that holds
    the second transform near orthogonal matrices; here there are neither, as the class is given and the loss
    is not the network's.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        channels: outputs of the shared layers; the max is over the last.
        hidden: outputs of the layers on a point's feature beside its cloud's; the last is ``feature_dim``.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        transforms: learn a 3 × 3 transform of the coordinates and a c × c transform of the features after
            the third shared layer (c its channels), each starting as the identity.
        dropout: probability after each layer of ``hidden`` but the last.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        channels: Sequence[int] = (64, 128, 128, 512, 2048),
        hidden: Sequence[int] = (256, 256, 128),
        norm: str = "batch",
        transforms: bool = True,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        check_sizes("channels", channels)
        check_sizes("hidden", hidden)
        if transforms and len(channels) < TRANSFORMED:
            raise InputError(
                f"channels={tuple(channels)} with transforms=True: give at least {TRANSFORMED}, as one acts "
                "after the third"
            )
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = hidden[-1]
        self.layers = grouped_layers((in_channels, *channels), norm)
        self.point_transform = self.feature_transform = None
        if transforms:
            self.point_transform = TransformNet(3, in_channels, norm, True, *POINT_TRANSFORM)
            width = channels[TRANSFORMED - 1]
            self.feature_transform = TransformNet(width, width, norm, True, *FEATURE_TRANSFORM)
        self.hidden = ContextLayers(sum(channels), channels[-1] + num_shapes, hidden, norm, dropout)
        self.classifier = nn.Linear(hidden[-1], num_parts)

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        x = points if self.point_transform is None else self.point_transform(points)
        maps = []
        for depth, layer in enumerate(self.layers, start=1):
            x = layer(x)
            maps.append(x)
            if depth == TRANSFORMED and self.feature_transform is not None:
                x = self.feature_transform(x)
        context = torch.cat([maps[-1].max(dim=1).values, self.one_hot(points, shape_class)], dim=1)
        result: Tensor = self.hidden(torch.cat(maps, dim=2), context)
        return result
