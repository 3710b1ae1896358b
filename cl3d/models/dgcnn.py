"""DGCNN: convolutions on edges to the nearest neighbours in feature space.

Y. Wang, Y. Sun, Z. Liu, S. E. Sarma, M. M. Bronstein, J. M. Solomon, "Dynamic graph CNN for learning on
point clouds", ACM Transactions on Graphics 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from cl3d.errors import check_whole
from cl3d.models.base import Backbone
from cl3d.models.grouped_layers import (
    GroupedLayer,
    activate,
    check_network,
    check_sizes,
    dropped_classifier,
)
from cl3d.ops.grouping import in_order, nearest_points, take

SLOPE = 0.2
"""Of every leaky ReLU below 0, as in the authors' code."""


class DGCNN(Backbone):
    """EdgeConv layers, all their outputs mapped to an embedding, its max and mean over points, a classifier.

    The graph is found anew before each layer: first among the coordinates, then among the features that
    enter the layer; a point is its own neighbour, as in the authors' code. The feature is twice as long as
    the embedding: max, then mean.

    Deviates: clouds of fewer than ``k`` points use all of them.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        channels: outputs of the EdgeConv layers.
        embedding: channels before the pool.
        head: sizes of the classifier's hidden layers.
        k: neighbours.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in
            :class:`cl3d.models.PointNet`; statistics of an EdgeConv run over edges.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        channels: Sequence[int] = (64, 64, 128, 256),
        embedding: int = 1024,
        head: Sequence[int] = (512, 256),
        k: int = 20,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        check_sizes("channels", channels)
        check_sizes("head", head, least=0)
        check_whole("embedding", embedding, 1)
        check_whole("k", k, 1)
        self.num_classes, self.in_channels, self.feature_dim, self.k = (
            num_classes,
            in_channels,
            2 * embedding,
            k,
        )
        self.layers = nn.ModuleList([EdgeConv(a, b, norm) for a, b in pairwise((in_channels, *channels))])
        self.embedding = GroupedLayer(sum(channels), embedding, norm, SLOPE)
        self.classifier = dropped_classifier((2 * embedding, *head), num_classes, norm, dropout, SLOPE)

    def point_features(self, points: Tensor) -> Tensor:
        """The embedding of every point: (b, p, in_channels) → (b, p, embedding)."""
        points, back = in_order(points)
        maps, places = [points], points[..., :3]
        for layer in self.layers:
            maps.append(layer(maps[-1], nearest_points(places, places, self.k)))
            places = maps[-1]
        return take(self.embedding(torch.cat(maps[1:], dim=2)), back)

    def pool(self, f: Tensor) -> Tensor:
        """Max and mean over points: (b, p, embedding) → (b, 2 · embedding)."""
        return torch.cat([f.max(dim=1).values, f.mean(dim=1)], dim=1)


class EdgeConv(GroupedLayer):
    """The max over a point's edges of a layer on (neighbour - point, point)."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__(2 * inputs, outputs, norm, slope=1)

    def forward(self, x: Tensor, neighbours: Tensor) -> Tensor:  # type: ignore[override]
        """(b, p, inputs) and the neighbours' indices (b, p, k) → (b, p, outputs)."""
        # the activation is rising, so it commutes with the max
        return activate(self.edges(x, neighbours, x).max(dim=2).values, SLOPE)
