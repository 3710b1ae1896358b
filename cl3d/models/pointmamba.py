"""PointMamba: patches in the order of two Hilbert curves, read as a sequence by Mamba blocks.

D. Liang, X. Zhou, W. Xu, X. Zhu, Z. Zou, X. Ye, X. Tan, X. Bai, "PointMamba: A simple state space model for
point cloud analysis", NeurIPS 2024.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import check_range, check_whole
from cl3d.models.base import Backbone
from cl3d.models.grouped_layers import GroupedLayer, check_network, check_sizes, dropped_classifier
from cl3d.models.mamba import MambaBlock
from cl3d.ops.grouping import farthest_from_centre, nearest_points, take
from cl3d.ops.hilbert import hilbert_order

PATCH_CHANNELS, PLACE_CHANNELS = (128, 256, 512), 128
"""Of the layers of the network on patches, and of the hidden layer of that on their centres."""


class PointMamba(Backbone):
    """Tokens of patches, twice: along the Hilbert curve and its transposed; Mamba blocks; a mean.

    A token is a small PointNet's feature of the nearest points around a sampled centre, shifted and scaled
    for its curve (the order indicator), plus an embedding of the centre. The feature map is that of all
    tokens of both curves.

    Deviates: it is not pre-trained, and keeps the initial weights of Mamba; the curve's lattice has the
    same number of cells for all clouds (in the authors' code the longest cloud of a batch turns the curve
    of the others), and points in one cell follow one another by their coordinates; sampling begins with
    the point farthest from the mean; clouds of fewer points than centres or neighbours use all of them.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        width: channels of a token, ``feature_dim``.
        depth: Mamba blocks.
        count: centres.
        k: points of each patch.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in
            :class:`cl3d.models.PointNet`, of patches and head; the blocks have LayerNorm.
        dropout: probability after each hidden layer of the classifier.
        drop_path: probability that a cloud skips the last block in training; it grows from 0 in the first.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        width: int = 384,
        depth: int = 12,
        count: int = 64,
        k: int = 32,
        head: Sequence[int] = (256, 256),
        norm: str = "batch",
        dropout: float = 0.5,
        drop_path: float = 0.3,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        for name, value in (("width", width), ("depth", depth), ("count", count), ("k", k)):
            check_whole(name, value, 1)
        check_sizes("head", head, least=0)
        check_range("drop_path", drop_path, 0, 1)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, width
        self.count, self.k = count, k
        self.patches = PatchEmbedding(in_channels, width, norm)
        self.places = nn.Sequential(nn.Linear(3, PLACE_CHANNELS), nn.GELU(), nn.Linear(PLACE_CHANNELS, width))
        self.indicators = nn.ModuleList([OrderIndicator(width) for _ in range(2)])
        shares = [drop_path * block / max(1, depth - 1) for block in range(depth)]
        self.blocks = nn.ModuleList([Residual(width, depth, share) for share in shares])
        self.norm = nn.LayerNorm(width)
        self.classifier = dropped_classifier((width, *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """Every token after the blocks: (b, p, in_channels) → (b, 2q, width)."""
        coordinates = points[..., :3]
        picks = farthest_from_centre(coordinates, self.count)
        centres = take(coordinates, picks)
        groups = take(points, nearest_points(coordinates, centres, self.k))
        groups = torch.cat([groups[..., :3] - centres.unsqueeze(2), groups[..., 3:]], dim=-1)
        tokens, places = self.patches(groups), self.places(centres)
        sequences = []
        for transposed, indicator in enumerate(self.indicators):
            order = hilbert_order(centres, transposed=bool(transposed))
            sequences.append(indicator(take(tokens, order)) + take(places, order))
        x = torch.cat(sequences, dim=1)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.norm(x)
        return result

    def pool(self, f: Tensor) -> Tensor:
        """The mean over tokens: (b, 2q, width) → (b, width)."""
        return f.mean(dim=1)


class PatchEmbedding(nn.Module):
    """A small PointNet: two layers, a max beside each point's own, two more layers, a max."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__()
        first, second, third = PATCH_CHANNELS
        self.before = nn.Sequential(GroupedLayer(inputs, first, norm), nn.Linear(first, second))
        self.after = nn.Sequential(GroupedLayer(2 * second, third, norm), nn.Linear(third, outputs))

    def forward(self, groups: Tensor) -> Tensor:
        """(b, q, k, inputs) → (b, q, outputs)."""
        x = self.before(groups)
        x = torch.cat([x.max(dim=2, keepdim=True).values.expand_as(x), x], dim=-1)
        result: Tensor = self.after(x).max(dim=2).values
        return result


class OrderIndicator(nn.Module):
    """A scale and a shift of each channel, which tell the tokens of one curve from the other's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(nn.init.normal_(torch.empty(width), 1, 0.02))
        self.shift = nn.Parameter(nn.init.normal_(torch.empty(width), 0, 0.02))

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, q, width) → the same shape."""
        return self.scale * tokens + self.shift


class Residual(nn.Module):
    """x plus a Mamba block on its norm, which a cloud skips with some probability in training."""

    def __init__(self, width: int, depth: int, drop: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.block = MambaBlock(width, depth)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, width) → the same shape."""
        kept = self.drop(x.new_ones(len(x), 1, 1))
        result: Tensor = x + kept * self.block(self.norm(x))
        return result
