"""Layers on points beside what their cloud has as a whole: a pooled feature, its class."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from cl3d.models.grouped_layers import activate, grouped_layers, normalised
from cl3d.models.layers import point_norm


class ContextLayers(nn.Module):
    """A :class:`ContextLayer`, then layers on single points, dropout before each of them.

    Args:
        inputs: channels of a point.
        context: length of the cloud's feature.
        channels: outputs of the layers, the first of which is given the context.
        norm: see :class:`cl3d.models.layers.SharedLayer`.
        dropout: probability.
        slope: of the activations below 0.
    """

    def __init__(
        self,
        inputs: int,
        context: int,
        channels: Sequence[int],
        norm: str,
        dropout: float = 0.0,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        self.join = ContextLayer(inputs, context, channels[0], norm, slope)
        self.layers = grouped_layers(channels, norm, slope)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """(b, p, inputs) and (b, context) → (b, p, channels[-1])."""
        y: Tensor = self.join(x, context)
        for layer in self.layers:
            y = layer(self.dropout(y))
        return y


class ContextLayer(nn.Module):
    """Linear map, norm and leaky ReLU of points beside their cloud's feature, whose product is formed once.

    Args:
        inputs: channels of a point.
        context: length of the cloud's feature.
    """

    def __init__(self, inputs: int, context: int, outputs: int, norm: str, slope: float = 0.0) -> None:
        super().__init__()
        self.sizes, self.slope = [inputs, context], slope
        self.linear = nn.Linear(inputs + context, outputs, bias=norm in ("none", "group"))
        self.norm = point_norm(norm, outputs)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """(b, p, inputs) and (b, context) → (b, p, outputs)."""
        own, shared = self.linear.weight.split(self.sizes, dim=1)
        y = nn.functional.linear(context, shared, self.linear.bias).unsqueeze(1)
        return activate(normalised(nn.functional.linear(x, own) + y, self.norm), self.slope)
