"""PointMLP for part segmentation.

X. Ma, C. Qin, H. You, H. Ran, Y. Fu, "Rethinking network design and local geometry in point cloud: A simple
residual MLP framework", ICLR 2022, section 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_positive, check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayer
from cl3d.models.feature_propagation import FeaturePropagation
from cl3d.models.grouped_layers import GroupedLayer, check_segmentation_net, check_sizes
from cl3d.models.layers import hidden_layers
from cl3d.models.pointmlp import Stage, residuals
from cl3d.ops.grouping import in_order, take

STRIDE, BLOCKS, DECODED = 4, 2, 4
"""Of each stage; residual blocks before and after its max; and after each propagation."""


class PointMLPSegmentation(SegmentationNet):
    """PointMLP's stages, feature propagations with residual blocks, the max of every level and the class.

    Sizes are those of the authors' code (github.com/ma-xu/pointMLP-pytorch, part_segmentation): stages keep
    a quarter of the points and group coordinates beside features; the max over points of a layer on every
    level, and two layers on the class, stand beside the feature of each point in the last layer, which has
    no activation.

    Deviates: as :class:`cl3d.models.PointMLP`. The authors' net is given normals, too (``in_channels=6``).

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        width: of the embedding.
        growth: factor of the channels in each stage.
        decoder: outputs of each feature propagation, that from the fewest points first.
        context: length of the cloud's feature, and of the class's.
        hidden: outputs of the last layer, ``feature_dim``.
        expansion: hidden channels of a residual block to its outputs.
        k: points in each group.
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
        width: int = 64,
        growth: Sequence[int] = (2, 2, 2, 2),
        decoder: Sequence[int] = (512, 256, 128, 128),
        context: int = 64,
        hidden: int = 128,
        expansion: float = 1.0,
        k: int = 32,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        _check(width, growth, decoder, context, hidden, expansion, k)
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = hidden
        self.embedding = GroupedLayer(in_channels, width, norm)
        widths = [width]
        self.stages = nn.ModuleList()
        for factor in growth:
            sizes = (widths[-1], widths[-1] * factor)
            self.stages.append(Stage(*sizes, BLOCKS, BLOCKS, expansion, k, norm, STRIDE, places=True))
            widths.append(sizes[1])
        given = [widths[-1], *decoder]
        self.propagations, self.residuals = nn.ModuleList(), nn.ModuleList()
        for before, inputs, outputs in zip(widths[-2::-1], given, decoder, strict=False):
            self.propagations.append(FeaturePropagation(before, inputs, (outputs,), norm))
            self.residuals.append(residuals(outputs, DECODED, expansion, norm))
        self.summaries = nn.ModuleList([GroupedLayer(channels, context, norm) for channels in widths])
        self.summary = nn.Sequential(*hidden_layers((len(widths) * context, context), norm))
        self.label = nn.Sequential(*hidden_layers((num_shapes, context, context), norm))
        self.hidden = ContextLayer(decoder[-1], 2 * context, hidden, norm, slope=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, num_parts))

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        levels = [(points[..., :3], self.embedding(points))]
        for stage in self.stages:
            levels.append(stage(*levels[-1]))
        places, x = levels[-1]
        for (earlier, before), propagation, blocks in zip(
            levels[-2::-1], self.propagations, self.residuals, strict=True
        ):
            places, x = earlier, blocks(propagation(earlier, before, places, x))
        pairs = zip(self.summaries, levels, strict=True)
        summaries = [summary(features).max(dim=1).values for summary, (_, features) in pairs]
        label = self.label(self.one_hot(points, shape_class))
        context = torch.cat([self.summary(torch.cat(summaries, dim=1)), label], dim=1)
        return take(self.hidden(x, context), back)


def _check(
    width: int,
    growth: Sequence[int],
    decoder: Sequence[int],
    context: int,
    hidden: int,
    expansion: float,
    k: int,
) -> None:
    for name, value in (("width", width), ("context", context), ("hidden", hidden), ("k", k)):
        check_whole(name, value, 1)
    check_positive("expansion", expansion)
    check_sizes("growth", growth)
    check_sizes("decoder", decoder)
    if len(growth) != len(decoder):
        raise InputError(f"growth={tuple(growth)}, decoder={tuple(decoder)}: give as many of both")
