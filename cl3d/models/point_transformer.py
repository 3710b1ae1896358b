"""Point Transformer for classification: vector attention among the nearest points.

H. Zhao, L. Jiang, J. Jia, P. H. S. Torr, V. Koltun, "Point transformer", ICCV 2021.
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
    normalised,
)
from cl3d.models.layers import point_norm
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take


class PointTransformer(Backbone):
    """Stages of a quarter of the points each, with attention blocks; a mean over points; a classifier.

    Layers follow the authors' description and the public code for segmentation, whose encoder this is:
    eight channels share a weight of the attention, and the first stage keeps all points.

    Deviates: sampling begins with the point farthest from the mean; clouds of fewer points than neighbours
    use all of them. The paper leaves the number of blocks for classification and the classifier's hidden
    layers open.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        channels: of each stage; the last are ``feature_dim``.
        blocks: attention blocks of each stage.
        neighbours: of each point, in each stage.
        stride: points of a stage to those of the next.
        share: channels that share a weight; divides all channels.
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
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        blocks: Sequence[int] = (1, 2, 3, 5, 2),
        neighbours: Sequence[int] = (8, 16, 16, 16, 16),
        stride: int = 4,
        share: int = 8,
        head: Sequence[int] = (256, 128),
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        check_stages(channels, blocks, neighbours, stride, share)
        check_sizes("head", head, least=0)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, channels[-1]
        self.neighbours = neighbours
        self.first = GroupedLayer(in_channels, channels[0], norm)
        self.transitions = nn.ModuleList(
            [
                Transition(channels[i], channels[i + 1], stride, neighbours[i + 1], norm)
                for i in range(len(channels) - 1)
            ]
        )
        self.stages = nn.ModuleList(
            [
                nn.ModuleList([Block(width, share, norm) for _ in range(count)])
                for width, count in zip(channels, blocks, strict=True)
            ]
        )
        self.classifier = dropped_classifier((channels[-1], *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """The features of the last stage's points: (b, p, in_channels) → (b, q, feature_dim)."""
        points, _ = in_order(points)
        x: Tensor = self.first(points)
        points = points[..., :3]
        for i, stage in enumerate(self.stages):
            if i > 0:
                points, x = self.transitions[i - 1](points, x)
            near = nearest_points(points, points, self.neighbours[i])
            offsets = points.unsqueeze(2) - take(points, near)
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                x = block(x, near, offsets)
        return x

    def pool(self, f: Tensor) -> Tensor:
        """The mean over points: (b, q, feature_dim) → (b, feature_dim)."""
        return f.mean(dim=1)


class Transition(nn.Module):
    """Farthest points; at each the max over its neighbours of a layer on (offset, feature)."""

    def __init__(self, inputs: int, outputs: int, stride: int, k: int, norm: str) -> None:
        super().__init__()
        self.stride, self.k = stride, k
        self.layer = GroupedLayer(3 + inputs, outputs, norm)

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3), features (b, p, inputs) → (b, q, 3) and (b, q, outputs), q = ⌈p / stride⌉."""
        centres = take(points, farthest_from_centre(points, -(-points.shape[1] // self.stride)))
        near = nearest_points(points, centres, self.k)
        return centres, self.layer.offsets(points, features, near, centres).max(dim=2).values


class Block(nn.Module):
    """x plus a layer, attention and a linear layer on it (figure 4a), the last activation after the sum."""

    def __init__(self, channels: int, share: int, norm: str) -> None:
        super().__init__()
        self.before = GroupedLayer(channels, channels, norm)
        self.attention = VectorAttention(channels, share, norm)
        self.norm = point_norm(norm, channels)
        self.after = GroupedLayer(channels, channels, norm, slope=1)

    def forward(self, x: Tensor, near: Tensor, offsets: Tensor) -> Tensor:
        """(b, p, channels) → the same shape; ``near`` and ``offsets`` as in :class:`VectorAttention`."""
        attended = self.attention(self.before(x), near, offsets)
        return nn.functional.relu(x + self.after(normalised(attended, self.norm).relu()))


class VectorAttention(nn.Module):
    """Σ over neighbours of softmax(γ(φ(x_i) - ψ(x_j) + δ)) ⊙ (α(x_j) + δ), δ a network of the offset (eq. 3).

    γ is norm, ReLU, linear, norm, ReLU, linear, and has one output for every ``share`` channels.
    """

    def __init__(self, channels: int, share: int, norm: str) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.position = nn.Sequential(GroupedLayer(3, 3, norm), nn.Linear(3, channels))
        self.norm = point_norm(norm, channels)
        shared = channels // share
        self.weights = nn.Sequential(GroupedLayer(channels, shared, norm), nn.Linear(shared, shared))

    def forward(self, x: Tensor, near: Tensor, offsets: Tensor) -> Tensor:
        """(b, p, channels), indices of the neighbours (b, p, k), x_i - x_j (b, p, k, 3) → as the first."""
        position = self.position(offsets)
        relation = self.query(x).unsqueeze(2) - take(self.key(x), near) + position
        weights = torch.softmax(self.weights(normalised(relation, self.norm).relu()), dim=2)
        values = (take(self.value(x), near) + position).unflatten(-1, (-1, weights.shape[-1]))
        attended: Tensor = (values * weights.unsqueeze(-2)).sum(dim=2).flatten(2)
        return attended


def check_stages(
    channels: Sequence[int], blocks: Sequence[int], neighbours: Sequence[int], stride: int, share: int
) -> None:
    """Refuses stages that cannot be built.

    Raises:
        InputError: if an argument is out of range.
    """
    check_sizes("channels", channels)
    check_sizes("neighbours", neighbours)
    check_whole("stride", stride, 1)
    check_whole("share", share, 1)
    if not len(channels) == len(blocks) == len(neighbours) or min(blocks) < 0:
        raise InputError(
            f"channels={tuple(channels)}, blocks={tuple(blocks)}, neighbours={tuple(neighbours)}: "
            "give as many of each, blocks from 0"
        )
    if any(width % share for width in channels):
        raise InputError(f"share={share} with channels={tuple(channels)}: give a divisor of all channels")
