"""Layers that networks on neighbourhoods share: maps of (b, …, d), a norm over all but d, their head."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_range, check_whole
from cl3d.models.layers import NORMS, SharedLayer, hidden_layers
from cl3d.ops.grouping import take
from cl3d.ops.shared_linear import PointNorm, shared_linear


class GroupedLayer(SharedLayer):
    """Linear map, norm and leaky ReLU of every point of every group: (b, …, inputs) → (b, …, outputs).

    The norm's statistics run over all dimensions between the batch and the channels as over points.

    Args:
        slope: of the activation below 0: 0 for ReLU, 1 for none.
    """

    def __init__(self, inputs: int, outputs: int, norm: str, slope: float = 0.0) -> None:
        super().__init__(inputs, outputs, norm)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """(b, …, inputs) → (b, …, outputs)."""
        y = shared_linear(x.flatten(1, -2), self.linear.weight, self.linear.bias, self.norm)
        return activate(y, self.slope).view(*x.shape[:-1], -1)

    def edges(self, values: Tensor, near: Tensor, own: Tensor) -> Tensor:
        """The layer on (neighbour - own, own) of every neighbour, the linear map applied to points alone.

        W = (V, U) on (y - x, x) is V y + (U - V) x: the product runs over points, not over their groups.

        Args:
            values: of all points, (b, p, inputs / 2).
            near: indices of the neighbours, (b, q, k).
            own: values of the centres, (b, q, inputs / 2).

        Returns:
            (b, q, k, outputs).
        """
        difference, centre = self.linear.weight.chunk(2, dim=1)
        return self._around(values, difference, near, own, centre - difference)

    def offsets(self, points: Tensor, features: Tensor, near: Tensor, centres: Tensor) -> Tensor:
        """The layer on (point - centre, feature) of every neighbour, applied as in :meth:`edges`.

        Args:
            points: (b, p, 3).
            features: (b, p, inputs - 3).
            near: indices of the neighbours, (b, q, k).
            centres: (b, q, 3).

        Returns:
            (b, q, k, outputs).
        """
        weight = self.linear.weight
        return self._around(torch.cat([points, features], dim=2), weight, near, centres, -weight[:, :3])

    def _around(
        self, values: Tensor, weight: Tensor, near: Tensor, own: Tensor, own_weight: Tensor
    ) -> Tensor:
        ends = take(nn.functional.linear(values, weight), near)
        starts = nn.functional.linear(own, own_weight, self.linear.bias)
        return activate(normalised(ends + starts.unsqueeze(2), self.norm), self.slope)


def grouped_layers(sizes: Sequence[int], norm: str, slope: float = 0.0) -> nn.Sequential:
    """A :class:`GroupedLayer` from each size to the next."""
    return nn.Sequential(*[GroupedLayer(before, after, norm, slope) for before, after in pairwise(sizes)])


def activate(x: Tensor, slope: float) -> Tensor:
    """Leaky ReLU, or ReLU where the slope is 0, or nothing where it is 1."""
    if slope == 1:
        return x
    return nn.functional.leaky_relu(x, slope) if slope else nn.functional.relu(x)


def normalised(x: Tensor, norm: PointNorm | None) -> Tensor:
    """The norm over all dimensions between the batch and the channels: (b, …, d) → the same."""
    if norm is None:
        return x
    if isinstance(norm, nn.BatchNorm1d):
        return norm(x.flatten(0, -2)).view_as(x)  # type: ignore[no-any-return]
    return norm(x.flatten(1, -2).mT).mT.reshape(x.shape)  # type: ignore[no-any-return]


def dropped_classifier(
    sizes: Sequence[int], outputs: int, norm: str, dropout: float, slope: float = 0.0
) -> nn.Sequential:
    """Fully connected layers, dropout after each, then a linear layer; see :func:`hidden_layers`.

    Args:
        sizes: of the feature and the hidden layers, at least one.
        outputs: of the last linear layer.
    """
    return nn.Sequential(*hidden_layers(sizes, norm, dropout, slope), nn.Linear(sizes[-1], outputs))


def check_network(num_classes: int, norm: str, dropout: float, in_channels: int) -> None:
    """Refuses what no network here takes.

    Raises:
        InputError: if an argument is out of range.
    """
    check_whole("num_classes", num_classes, 1)
    check_whole("in_channels", in_channels, 3)
    check_range("dropout", dropout, 0, 1)
    if norm not in NORMS:
        raise InputError(f"norm={norm!r} is unknown: give one of {', '.join(NORMS)}")


def check_segmentation_net(
    num_shapes: int, num_parts: int, in_channels: int, norm: str, dropout: float
) -> None:
    """Refuses what no segmentation net here takes.

    Raises:
        InputError: if an argument is out of range.
    """
    check_whole("num_shapes", num_shapes, 1)
    check_whole("num_parts", num_parts, 1)
    check_network(num_parts, norm, dropout, in_channels)
    if norm == "instance":
        raise InputError(
            "norm='instance' takes away what all points of a cloud share, as its class: "
            "give one of batch, group, none"
        )


def check_sizes(name: str, sizes: Sequence[int], least: int = 1) -> None:
    """Refuses what is no list of sizes, sizes that are not positive, or fewer than ``least``.

    Raises:
        InputError: see above.
    """
    listed = isinstance(sizes, Sequence) and not isinstance(sizes, str)
    given = tuple(sizes) if listed else sizes
    if not listed or len(given) < least or any(type(size) is not int or size < 1 for size in given):
        raise InputError(f"{name}={given}: give positive sizes, at least {least}")
