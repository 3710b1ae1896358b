"""PointMamba for part segmentation.

D. Liang, X. Zhou, W. Xu, X. Zhu, Z. Zou, X. Ye, X. Tan, X. Bai, "PointMamba: A simple state space model for
point cloud analysis", NeurIPS 2024.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_range, check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayers
from cl3d.models.feature_propagation import FeaturePropagation
from cl3d.models.grouped_layers import check_segmentation_net, check_sizes
from cl3d.models.layers import hidden_layers
from cl3d.models.mamba import mamba_blocks
from cl3d.models.tokens import Tokens
from cl3d.ops.grouping import in_order, take

SLOPE = 0.2
"""Below 0, of the layer on the class."""


class PointMambaSegmentation(SegmentationNet):
    """Tokens through Mamba blocks, propagated to all points; their max and mean and the class beside; layers.

    Sizes are those of the authors' code (github.com/LMD0311/PointMamba, part_segmentation).

    Deviates: the tokens follow the paper's two Hilbert curves, and both tokens of a centre are averaged
    before they are propagated; the authors' code sorts them along three axes and propagates three of each.
    Blocks are skipped the more often the deeper they are, as in their classifier; in that code all alike.
    The rest as :class:`cl3d.models.PointMamba`.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        width: channels of a token.
        depth: Mamba blocks.
        fetched: the blocks whose outputs are used, side by side, counted from 1.
        count: centres.
        k: points of each patch.
        propagation: outputs of the layers on a point and what it is handed.
        label: length of the layer on the class.
        hidden: outputs of the layers on a point's feature beside its cloud's; the last is ``feature_dim``.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`; the blocks have
            LayerNorm.
        dropout: probability after each layer of ``hidden`` but the last.
        drop_path: probability that a cloud skips the last block in training; it grows from 0 in the first.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        width: int = 384,
        depth: int = 12,
        fetched: Sequence[int] = (4, 8, 12),
        count: int = 128,
        k: int = 32,
        propagation: Sequence[int] = (1536, 1024),
        label: int = 64,
        hidden: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.5,
        drop_path: float = 0.2,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        for name, value in (("width", width), ("count", count), ("k", k), ("label", label)):
            check_whole(name, value, 1)
        check_sizes("propagation", propagation)
        check_sizes("hidden", hidden)
        check_range("drop_path", drop_path, 0, 1)
        if not fetched or not set(fetched) <= set(range(1, depth + 1)):
            raise InputError(f"fetched={tuple(fetched)} with depth={depth}: give blocks from 1 to {depth}")
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim, self.fetched = hidden[-1], fetched
        self.tokens = Tokens(in_channels, width, count, k, norm)
        self.blocks = mamba_blocks(width, depth, drop_path)
        self.norms = nn.Sequential(nn.LayerNorm(width), nn.LayerNorm(width))
        given = len(fetched) * width
        self.propagation = FeaturePropagation(in_channels, given, propagation, norm)
        self.label = nn.Sequential(*hidden_layers((num_shapes, label), norm, slope=SLOPE))
        self.hidden = ContextLayers(propagation[-1], 2 * given + label, hidden, norm, dropout)
        self.classifier = nn.Linear(hidden[-1], num_parts)

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        x, centres, orders = self.tokens(points)
        outputs = []
        for depth, block in enumerate(self.blocks, start=1):
            x = block(x)
            if depth in self.fetched:
                outputs.append(self.norms(x))
        f = torch.cat(outputs, dim=2)
        label = self.label(self.one_hot(points, shape_class))
        context = torch.cat([f.max(dim=1).values, f.mean(dim=1), label], dim=1)
        both = zip(f.chunk(2, dim=1), orders, strict=True)
        first, second = (take(along, order.argsort(dim=1)) for along, order in both)
        handed = self.propagation(points[..., :3], points, centres, (first + second) / 2)
        return take(self.hidden(handed, context), back)
