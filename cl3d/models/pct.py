"""PCT: a transformer of offset attention over groups of points.

M.-H. Guo, J.-X. Cai, Z.-N. Liu, T.-J. Mu, R. R. Martin, S.-M. Hu, "PCT: Point cloud transformer",
Computational Visual Media 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_whole
from cl3d.models.base import Backbone
from cl3d.models.grouped_layers import (
    GroupedLayer,
    check_network,
    check_sizes,
    dropped_classifier,
    grouped_layers,
)
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take

SLOPE = 0.2
"""Of the embedding's leaky ReLU below 0."""

NARROWING = 4
"""Channels of values to one of queries and keys."""


class PCT(Backbone):
    """Two samplings with a layer on neighbours each, attention layers, an embedding, a max, a classifier.

    Two more layers on single points stand before the attention, as in the authors' code. The feature map is
    the embedding of the outputs of all attention layers and of the last sampling.

    Deviates: the pool is the max alone, as in the authors' code and as the published number of parameters
    has it; the text has the mean beside it. Sampling begins with the point farthest from the mean; clouds of
    fewer points than are sampled or grouped use all of them.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        width: of the two layers on single points; the samplings have twice and four times as many channels.
        counts: points that each sampling leaves.
        k: neighbours of each of them.
        attentions: number of attention layers.
        embedding: channels before the pool, ``feature_dim``.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        width: int = 64,
        counts: Sequence[int] = (512, 256),
        k: int = 32,
        attentions: int = 4,
        embedding: int = 1024,
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        _check(width, counts, k, attentions, embedding, head)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, embedding
        self.layers = grouped_layers((in_channels, width, width), norm)
        sizes = [2 * width * 2**stage for stage in range(len(counts))]
        stages = zip(sizes, counts, strict=True)
        self.samplings = nn.ModuleList([NeighbourEmbedding(c // 2, c, count, k, norm) for c, count in stages])
        self.between = grouped_layers((sizes[-1],) * 3, norm)
        self.attentions = nn.ModuleList([OffsetAttention(sizes[-1], norm) for _ in range(attentions)])
        self.embedding = GroupedLayer((1 + attentions) * sizes[-1], embedding, norm, SLOPE)
        self.classifier = dropped_classifier((embedding, *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """The embedding of every sampled point: (b, p, in_channels) → (b, q, embedding)."""
        points, _ = in_order(points)
        x, points = self.layers(points), points[..., :3]
        for sampling in self.samplings:
            points, x = sampling(points, x)
        outputs = [self.between(x)]
        for attention in self.attentions:
            outputs.append(attention(outputs[-1]))
        result: Tensor = self.embedding(torch.cat([*outputs[1:], x], dim=2))
        return result


class NeighbourEmbedding(nn.Module):
    """Farthest points; at each the max over its neighbours of two layers on (feature - its own, its own)."""

    def __init__(self, inputs: int, outputs: int, count: int, k: int, norm: str) -> None:
        super().__init__()
        self.count, self.k = count, k
        self.layers = grouped_layers((2 * inputs, outputs, outputs), norm)

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3), features (b, p, inputs) → the sampled ones' (b, q, 3) and (b, q, outputs)."""
        picks = farthest_from_centre(points, self.count)
        centres, own = take(points, picks), take(features, picks)
        first = self.layers[0]
        assert isinstance(first, GroupedLayer)
        groups = first.edges(features, nearest_points(points, centres, self.k), own)
        return centres, self.layers[1:](groups).max(dim=2).values


class OffsetAttention(nn.Module):
    """x plus a layer on what self-attention leaves of x (PCT, section 3.3).

    Queries and keys are the same map. Each query's weights are a softmax over keys; what a point receives
    is then divided by the sum of the weights that it has as a key.
    """

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels // NARROWING, bias=False)
        self.value = nn.Linear(channels, channels)
        self.layer = GroupedLayer(channels, channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(b, q, channels) → the same shape."""
        query = self.query(x)
        weights = torch.softmax(query @ query.mT, dim=2)
        weights = weights / (1e-9 + weights.sum(dim=1, keepdim=True))
        result: Tensor = x + self.layer(x - weights.mT @ self.value(x))
        return result


def _check(
    width: int, counts: Sequence[int], k: int, attentions: int, embedding: int, head: Sequence[int]
) -> None:
    for name, value in (("k", k), ("attentions", attentions), ("embedding", embedding), ("width", width)):
        check_whole(name, value, 1)
    check_sizes("counts", counts)
    check_sizes("head", head, least=0)
    if width * 2 ** len(counts) < NARROWING:
        raise InputError(f"width={width} leaves attention without a channel: give at least 2")
