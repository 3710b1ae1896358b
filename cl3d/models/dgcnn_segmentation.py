"""DGCNN for part segmentation.

Y. Wang, Y. Sun, Z. Liu, S. E. Sarma, M. M. Bronstein, J. M. Solomon, "Dynamic graph CNN for learning on
point clouds", ACM Transactions on Graphics 2019, section 5.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayers
from cl3d.models.dgcnn import SLOPE, EdgeConv
from cl3d.models.grouped_layers import (
    GroupedLayer,
    activate,
    check_segmentation_net,
    check_sizes,
    dropped_classifier,
    grouped_layers,
)
from cl3d.models.layers import hidden_layers
from cl3d.models.transform_net import start_as_identity, transformed
from cl3d.ops.grouping import in_order, nearest_points, take

TRANSFORM_EDGES, TRANSFORM_EMBEDDING, TRANSFORM_HEAD = (64, 128), 1024, (512, 256)
"""Layers of the network that transforms the coordinates."""


class DGCNNSegmentation(SegmentationNet):
    """A transform of the coordinates, EdgeConvs, the max of an embedding and the class beside them, layers.

    Sizes are those of the paper's figure 3 in the implementation that the authors point to
    (github.com/antao97/dgcnn.pytorch). The graph is found anew before each EdgeConv: before the transform's
    and the first one among coordinates, later among features.

    Deviates: clouds of fewer than ``k`` points use all of them; the last linear layer has a bias.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        channels: outputs of the layers of each EdgeConv, whose max over edges comes after the last of them.
        embedding: channels before the max over points.
        label: length of the layer on the class.
        hidden: outputs of the layers on a point's feature beside its cloud's; the last is ``feature_dim``.
        k: neighbours.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        transform: learn a 3 × 3 transform of the coordinates that starts as the identity.
        dropout: probability after each layer of ``hidden`` but the last.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        channels: Sequence[Sequence[int]] = ((64, 64), (64, 64), (64,)),
        embedding: int = 1024,
        label: int = 64,
        hidden: Sequence[int] = (256, 256, 128),
        k: int = 40,
        norm: str = "batch",
        transform: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        check_sizes("channels", [len(sizes) for sizes in channels])
        for name, sizes in (("hidden", hidden), *(("channels", sizes) for sizes in channels)):
            check_sizes(name, sizes)
        for name, value in (("embedding", embedding), ("label", label), ("k", k)):
            check_whole(name, value, 1)
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim, self.k = hidden[-1], k
        self.transform = EdgeTransform(in_channels, norm) if transform else None
        inputs = [in_channels, *(sizes[-1] for sizes in channels)]
        self.layers = nn.ModuleList(
            [DeepEdgeConv(a, b, norm) for a, b in zip(inputs, channels, strict=False)]
        )
        self.embedding = GroupedLayer(sum(inputs[1:]), embedding, norm, SLOPE)
        self.label = nn.Sequential(*hidden_layers((num_shapes, label), norm, slope=SLOPE))
        self.hidden = ContextLayers(sum(inputs[1:]), embedding + label, hidden, norm, dropout, SLOPE)
        self.classifier = nn.Linear(hidden[-1], num_parts)

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        x = points
        if self.transform is not None:
            places = points[..., :3]
            x = self.transform(points, nearest_points(places, places, self.k))
        places, maps = x[..., :3], []
        for layer in self.layers:
            x = places = layer(x, nearest_points(places, places, self.k))
            maps.append(x)
        x = torch.cat(maps, dim=2)
        label = self.label(self.one_hot(points, shape_class))
        context = torch.cat([self.embedding(x).max(dim=1).values, label], dim=1)
        return take(self.hidden(x, context), back)


class DeepEdgeConv(nn.Module):
    """The max over a point's edges of several layers, the first on (neighbour - point, point)."""

    def __init__(self, inputs: int, channels: Sequence[int], norm: str) -> None:
        super().__init__()
        self.first = EdgeConv(inputs, channels[0], norm)
        self.layers = grouped_layers(channels, norm, SLOPE)

    def forward(self, x: Tensor, neighbours: Tensor) -> Tensor:
        """(b, p, inputs) and the neighbours' indices (b, p, k) → (b, p, channels[-1])."""
        edges = activate(self.first.edges(x, neighbours, x), SLOPE)
        result: Tensor = self.layers(edges).max(dim=2).values
        return result


class EdgeTransform(nn.Module):
    """Predicts a 3 × 3 matrix from the edges of a cloud and applies it to the coordinates."""

    def __init__(self, inputs: int, norm: str) -> None:
        super().__init__()
        self.edges = DeepEdgeConv(inputs, TRANSFORM_EDGES, norm)
        self.embedding = GroupedLayer(TRANSFORM_EDGES[-1], TRANSFORM_EMBEDDING, norm, SLOPE)
        self.classifier = dropped_classifier((TRANSFORM_EMBEDDING, *TRANSFORM_HEAD), 9, norm, 0.0, SLOPE)
        start_as_identity(self.classifier[-1], 3)

    def forward(self, points: Tensor, neighbours: Tensor) -> Tensor:
        """(b, p, inputs) and the neighbours' indices (b, p, k) → (b, p, inputs)."""
        pooled = self.embedding(self.edges(points, neighbours)).max(dim=1).values
        return transformed(points, self.classifier(pooled), 3)
