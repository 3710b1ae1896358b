"""Layers that point networks share: a linear layer over points, norms by name, a classifier's head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.pooled_chain import pooled_chain
from cl3d.ops.pooled_linear import pooled_linear
from cl3d.ops.shared_linear import PointNorm, point_by_point, shared_linear

NORMS = ("batch", "instance", "group", "none")
MOST_GROUPS = 32


class SharedLayer(nn.Module):
    """Linear map, norm and ReLU of every point: (b, n, inputs) → (b, n, outputs).

    A bias that a norm would remove again is left out: its gradient is exactly zero.

    Args:
        norm: ``"batch"``; ``"instance"`` (per cloud and channel, without weights); ``"group"`` (per cloud,
            in the most groups up to 32 that divide the channels and 32); ``"none"``.
        fused: take the fast paths of :mod:`cl3d.ops`; False computes the same layer plainly.
    """

    def __init__(self, inputs: int, outputs: int, norm: str, fused: bool = True) -> None:
        super().__init__()
        self.norm = point_norm(norm, outputs)
        # a group's mean leaves the differences between its channels' biases
        self.linear = nn.Linear(inputs, outputs, bias=norm in ("none", "group"))
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        """The feature map: (b, n, inputs) → (b, n, outputs)."""
        layer = shared_linear if self.fused else naive.shared_linear
        return nn.functional.relu(layer(x, self.linear.weight, self.linear.bias, self.norm), inplace=True)

    def pooled(self, x: Tensor) -> Tensor:
        """The max of the feature map over points: (b, n, inputs) → (b, outputs)."""
        layer = pooled_linear if self.fused else naive.pooled_linear
        return layer(x, self.linear.weight, self.linear.bias, self.norm, relu=True)


def shared_layers(sizes: Sequence[int], norm: str, fused: bool = True) -> nn.Sequential:
    """A :class:`SharedLayer` from each size to the next."""
    return nn.Sequential(*[SharedLayer(before, after, norm, fused) for before, after in pairwise(sizes)])


def pooled_layers(layers: nn.Sequential, x: Tensor) -> Tensor:
    """The max over points of shared layers, one after the other: (b, n, inputs) → (b, outputs).

    Where each point is mapped by itself, the points that win alone are differentiated; see
    :func:`cl3d.ops.pooled_chain.pooled_chain`.
    """
    before, last = layers[:-1], layers[-1]
    assert isinstance(last, SharedLayer)
    alone = all(isinstance(layer, SharedLayer) and point_by_point(layer.norm) for layer in before)
    if not (last.fused and alone and len(before)):
        return last.pooled(before(x))
    return pooled_chain(before, x, last.linear.weight, last.linear.bias, last.norm, relu=True)


def point_norm(name: str, channels: int) -> PointNorm | None:
    """The norm over points that a name stands for; see :class:`SharedLayer`.

    Raises:
        InputError: if there is none of that name.
    """
    if name == "batch":
        return nn.BatchNorm1d(channels)
    if name == "instance":
        return nn.InstanceNorm1d(channels)
    if name == "group":
        return nn.GroupNorm(math.gcd(channels, MOST_GROUPS), channels)
    if name == "none":
        return None
    raise InputError(f"norm={name!r} is unknown: give one of {', '.join(NORMS)}")


def classifier(sizes: Sequence[int], outputs: int, norm: str, dropout: float = 0.0) -> nn.Sequential:
    """Fully connected layers on a feature, then dropout and a linear layer; see :func:`hidden_layers`.

    Args:
        sizes: of the feature and the hidden layers, at least one.
        outputs: of the last linear layer.
    """
    layers = hidden_layers(sizes, norm)
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))


def hidden_layers(
    sizes: Sequence[int], norm: str, dropout: float = 0.0, slope: float = 0.0
) -> list[nn.Module]:
    """Fully connected layers on a feature: linear, norm and leaky ReLU each, and dropout where asked for.

    The norm is BatchNorm for ``"batch"``, none for ``"none"`` and LayerNorm for the other two: a feature
    has no points to take an instance's or a group's statistics over.

    Args:
        sizes: of the feature and the layers.
        slope: of the activation below 0; 0 for ReLU.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers.append(nn.Linear(before, after, bias=norm != "batch"))
        if norm == "batch":
            layers.append(nn.BatchNorm1d(after))
        elif norm != "none":
            layers.append(nn.LayerNorm(after))
        layers.append(nn.LeakyReLU(slope) if slope else nn.ReLU(inplace=True))
        if dropout:
            layers.append(nn.Dropout(dropout))
    return layers
