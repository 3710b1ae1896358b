"""Tokens of patches, in the order of space-filling curves.

D. Liang, X. Zhou, W. Xu, X. Zhu, Z. Zou, X. Ye, X. Tan, X. Bai, "PointMamba: A simple state space model for
point cloud analysis", NeurIPS 2024, section 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cl3d.models.grouped_layers import GroupedLayer
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take
from cl3d.ops.hilbert import hilbert_order

PATCH_CHANNELS, PLACE_CHANNELS = (128, 256, 512), 128
"""Of the layers of the network on patches, and of the hidden layer of that on their centres."""


class Tokens(nn.Module):
    """The tokens of sampled patches along the Hilbert curve, then the same along its transposed.

    Args:
        in_channels: of a point, coordinates first.
        width: channels of a token.
        count: centres; all points where there are fewer.
        k: points of each patch, likewise.
        norm: see :class:`cl3d.models.layers.SharedLayer`.
    """

    def __init__(self, in_channels: int, width: int, count: int, k: int, norm: str) -> None:
        super().__init__()
        self.count, self.k = count, k
        self.patches = PatchEmbedding(in_channels, width, norm)
        self.places = nn.Sequential(nn.Linear(3, PLACE_CHANNELS), nn.GELU(), nn.Linear(PLACE_CHANNELS, width))
        self.indicators = nn.ModuleList([OrderIndicator(width) for _ in range(2)])

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Points (b, p, in_channels) → tokens (b, 2q, width), centres (b, q, 3), their two orders (b, q)."""
        points, _ = in_order(points)
        coordinates = points[..., :3]
        centres = take(coordinates, farthest_from_centre(coordinates, self.count))
        groups = take(points, nearest_points(coordinates, centres, self.k))
        groups = torch.cat([groups[..., :3] - centres.unsqueeze(2), groups[..., 3:]], dim=-1)
        tokens, places = self.patches(groups), self.places(centres)
        orders = [hilbert_order(centres, transposed=transposed) for transposed in (False, True)]
        pairs = zip(self.indicators, orders, strict=True)
        sequences = [indicator(take(tokens, order)) + take(places, order) for indicator, order in pairs]
        return torch.cat(sequences, dim=1), centres, orders


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
