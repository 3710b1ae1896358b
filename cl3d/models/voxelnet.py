"""VoxelNet: a small 3D convolutional network on an occupancy grid, as VoxNet.

D. Maturana, S. Scherer, "VoxNet: A 3D convolutional neural network for real-time object recognition",
IROS 2015.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_positive
from cl3d.models.base import Backbone, coordinates_and_features
from cl3d.models.grouped_layers import check_network, check_sizes, dropped_classifier
from cl3d.models.layers import point_norm

SLOPE = 0.1
"""Of the convolutions' leaky ReLU below 0."""

KERNELS, STRIDES, POOL = (5, 3), (2, 1), 2
"""Of the two convolutions, and of the max after them."""

SMALLEST_GRID = 2 * (POOL + KERNELS[1] - 2) + KERNELS[0]
"""Cells along an edge that leave one after the pool."""


class VoxelNet(Backbone):
    """Occupancy grid, two convolutions, a max over 2 × 2 × 2 cells, a classifier on all cells.

    The feature map has a row for each cell that is left, and the pool puts them one after another: the
    places of features count, the order of points does not.

    Deviates: the grid is soft. Each point is shared out among the eight cells around it by trilinear
    weights, and a cell is occupied to 1 - exp(-their sum); a hit-or-miss grid, as VoxNet's, has no
    gradient by the points, which distillation needs. The grid is the same for all clouds, not fitted to
    each. Features of points are an option: a cell has their sum by the same weights over 1 + the weights'
    sum. One probability stands for VoxNet's three of dropout, before the last layer; norms are an option.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        grid: cells along an edge.
        extent: the grid spans the cube from -extent to extent; points outside count at its border.
        channels: outputs of the two convolutions.
        head: sizes of the classifier's hidden layers.
        norm: ``"none"``; ``"batch"``, ``"instance"`` or ``"group"`` over cells after each convolution.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        grid: int = 32,
        extent: float = 1.0,
        channels: Sequence[int] = (32, 32),
        head: Sequence[int] = (128,),
        norm: str = "none",
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        check_positive("extent", extent)
        check_sizes("head", head, least=0)
        check_sizes("channels", channels, least=len(KERNELS))
        if len(channels) != len(KERNELS):
            raise InputError(f"channels={tuple(channels)}: give those of {len(KERNELS)} convolutions")
        if grid < SMALLEST_GRID:
            raise InputError(f"grid={grid} leaves no cell after the pool: give at least {SMALLEST_GRID}")
        self.num_classes, self.in_channels = num_classes, in_channels
        self.grid, self.extent = grid, extent
        self.layers = nn.Sequential()
        cells = grid
        for before, after, kernel, stride in zip(
            (in_channels - 2, *channels), channels, KERNELS, STRIDES, strict=False
        ):
            self.layers.append(VoxelLayer(before, after, kernel, stride, norm))
            cells = (cells - kernel) // stride + 1
        self.feature_dim = (cells // POOL) ** 3 * channels[-1]
        self.classifier = dropped_classifier((self.feature_dim, *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """The channels of every cell that is left: (b, p, in_channels) → (b, cells, channels[-1])."""
        cells = self.layers(voxels(points, self.grid, self.extent))
        pooled: Tensor = nn.functional.max_pool3d(cells, POOL).flatten(2).mT
        return pooled

    def pool(self, f: Tensor) -> Tensor:
        """All cells one after another: (b, cells, channels[-1]) → (b, feature_dim)."""
        return f.flatten(1)


class VoxelLayer(nn.Module):
    """Convolution, norm over cells and leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, norm: str) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(inputs, outputs, kernel, stride, bias=norm in ("none", "group"))
        self.norm = point_norm(norm, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, x, y, z) → (b, outputs, …)."""
        y: Tensor = self.convolution(x)
        if self.norm is not None:
            y = self.norm(y.flatten(2)).view_as(y)
        return nn.functional.leaky_relu(y, SLOPE)


def voxels(points: Tensor, grid: int, extent: float) -> Tensor:
    """A soft grid of occupancy and features, differentiable by the points; see :class:`VoxelNet`.

    Args:
        points: (b, p, 3 + features), coordinates first.
        grid: cells along an edge, at least 2; the outer ones are centred on the border.
        extent: half the length of an edge.

    Returns:
        (b, 1 + features, grid, grid, grid); the first channel is from 0 to below 1.
    """
    points, features = coordinates_and_features(points)
    places = ((points / extent).clamp(-1, 1) + 1) * ((grid - 1) / 2)
    lower = places.detach().floor().clamp_max(grid - 2)
    fraction = places - lower
    carried = torch.ones_like(points[..., :1])
    if features is not None:
        carried = torch.cat([carried, features], dim=2)
    sums = points.new_zeros(len(points), grid**3, carried.shape[2])
    for corner in itertools.product((0, 1), repeat=3):
        offset = torch.tensor(corner, device=points.device)
        weights = torch.where(offset == 1, fraction, 1 - fraction).prod(dim=2)
        x, y, z = (lower.long() + offset).unbind(dim=2)
        cells = ((x * grid + y) * grid + z).unsqueeze(2).expand_as(carried)
        sums = sums.scatter_add(1, cells, weights.unsqueeze(2) * carried)
    weight, features = sums.split([1, carried.shape[2] - 1], dim=2)
    grids = torch.cat([-torch.expm1(-weight), features / (1 + weight)], dim=2)
    result: Tensor = grids.mT.unflatten(2, (grid, grid, grid))
    return result
