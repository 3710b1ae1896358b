"""Feature propagation: from a few points back to those that they were sampled from.

C. R. Qi, L. Yi, H. Su, L. J. Guibas, "PointNet++: Deep hierarchical feature learning on point sets in a
metric space", NeurIPS 2017, section 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.models.grouped_layers import grouped_layers
from cl3d.ops.interpolate import interpolate


class FeaturePropagation(nn.Module):
    """Shared layers on what a point had before sampling, beside what is interpolated from its neighbours.

    Args:
        before: length of the features before sampling.
        inputs: length of the features of the sampled points.
        channels: outputs of the layers.
        norm: see :class:`cl3d.models.layers.SharedLayer`.
    """

    def __init__(self, before: int, inputs: int, channels: Sequence[int], norm: str) -> None:
        super().__init__()
        self.layers = grouped_layers((before + inputs, *channels), norm)

    def forward(self, points: Tensor, before: Tensor, sampled: Tensor, features: Tensor) -> Tensor:
        """Points (b, p, 3) with features, sampled ones (b, q, 3) with theirs → (b, p, channels[-1]).

        A single sampled point hands its feature to all: so a whole cloud's is handed on.
        """
        near = interpolate(features, sampled, points)
        result: Tensor = self.layers(torch.cat([before, near], dim=2))
        return result
