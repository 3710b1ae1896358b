"""PointConv for classification: convolutions whose weights are a network of the offset and the density.

W. Wu, Z. Qi, L. Fuxin, "PointConv: Deep convolutional networks on 3D point clouds", CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cl3d.errors import check_positive, check_whole
from cl3d.models.base import Backbone, coordinates_and_features
from cl3d.models.grouped_layers import (
    GroupedLayer,
    check_network,
    check_sizes,
    dropped_classifier,
    grouped_layers,
)
from cl3d.models.layers import hidden_layers
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take

WEIGHT_SIZES, DENSITY_SIZES = (8, 8, 16), (16, 8, 1)
"""Outputs of the layers of the two small networks; 16 is C_mid of the paper's section 4."""


@dataclass(frozen=True)
class Stage:
    """A convolution at sampled centres.

    Attributes:
        count: centres; all points where there are fewer.
        k: neighbours of each.
        bandwidth: of the Gaussians that estimate the density, for clouds of radius 1.
        channels: outputs of its shared layers; the last are its own outputs.
    """

    count: int
    k: int
    bandwidth: float
    channels: Sequence[int]

    def __post_init__(self) -> None:
        check_whole("count", self.count, 1)
        check_whole("k", self.k, 1)
        check_positive("bandwidth", self.bandwidth)
        check_sizes("channels", self.channels)


STAGES = (Stage(512, 32, 0.1, (64, 64, 128)), Stage(128, 64, 0.2, (128, 128, 256)))
CHANNELS, BANDWIDTH = (256, 512, 1024), 0.4


class PointConv(Backbone):
    """Convolutions at fewer and fewer points, one over all that are left, a classifier.

    The last convolution is the pool: a sum over points of feature times weight, and a linear layer. So the
    feature map has both side by side, ``channels[-1] + 16`` values at each point.

    Sizes are those of the authors' code for classification (github.com/DylanWusee/pointconv_pytorch). The
    network of the density ends in a sigmoid, as in their code for scenes (github.com/DylanWusee/pointconv);
    in that for classification a loop ends before its sigmoid.

    Deviates: sampling begins with the point farthest from the mean; clouds of fewer points than centres or
    neighbours use all of them.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        stages: the convolutions at sampled centres.
        channels: outputs of the shared layers of the last convolution; the last is ``feature_dim``.
        bandwidth: that of the last convolution.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in
            :class:`cl3d.models.PointNet`; LayerNorm for the pooled feature in the middle two.
        dropout: probability after each hidden layer of the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        stages: Sequence[Stage] = STAGES,
        channels: Sequence[int] = CHANNELS,
        bandwidth: float = BANDWIDTH,
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        check_sizes("channels", channels)
        check_sizes("head", head, least=0)
        check_positive("bandwidth", bandwidth)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, channels[-1]
        self.stages = nn.ModuleList()
        width = in_channels - 3
        for stage in stages:
            self.stages.append(Convolution(width, stage, norm))
            width = stage.channels[-1]
        self.bandwidth = bandwidth
        self.terms = Terms(width, channels, norm)
        # linear, norm and ReLU of a pooled feature are a classifier's hidden layer
        self.mix = nn.Sequential(*hidden_layers((WEIGHT_SIZES[-1] * channels[-1], channels[-1]), norm))
        self.classifier = dropped_classifier((channels[-1], *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """The last convolution's features and weights: (b, p, in_channels) → (b, q, feature_dim + 16)."""
        points, features = coordinates_and_features(in_order(points)[0])
        for stage in self.stages:
            points, features = stage(points, features)
        offsets = (points - points.mean(dim=1, keepdim=True)).unsqueeze(1)
        inverse = inverse_density(points, self.bandwidth).unsqueeze(1)
        groups = offsets if features is None else torch.cat([offsets, features.unsqueeze(1)], dim=-1)
        return torch.cat(self.terms(groups, offsets, inverse), dim=-1).squeeze(1)

    def pool(self, f: Tensor) -> Tensor:
        """The sum over points of feature times weight, and a linear layer: → (b, feature_dim)."""
        features, weights = f.split([self.feature_dim, WEIGHT_SIZES[-1]], dim=2)
        pooled: Tensor = self.mix((features.mT @ weights).flatten(1))
        return pooled


class Terms(nn.Module):
    """Features and weights of every neighbour, whose products a convolution adds up (eq. 5).

    Features are shared layers on (offset, feature), times a network of the inverse density over the
    largest of the group; weights are a network of the offset.
    """

    def __init__(self, inputs: int, channels: Sequence[int], norm: str) -> None:
        super().__init__()
        self.layers = grouped_layers((3 + inputs, *channels), norm)
        self.weights = grouped_layers((3, *WEIGHT_SIZES), norm)
        self.scale = grouped_layers((1, *DENSITY_SIZES[:-1]), norm)
        self.scale.append(GroupedLayer(DENSITY_SIZES[-2], DENSITY_SIZES[-1], norm, slope=1))

    def forward(self, groups: Tensor, offsets: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
        """(b, q, k, 3 + inputs), (b, q, k, 3), (b, q, k, 1) → (b, q, k, channels), (b, q, k, 16)."""
        scale = self.scale(inverse / inverse.amax(dim=2, keepdim=True)).sigmoid()
        return self.layers(groups) * scale, self.weights(offsets)


class Convolution(nn.Module):
    """A convolution at the farthest points: Σ over neighbours of feature times weight, then a layer."""

    def __init__(self, inputs: int, stage: Stage, norm: str) -> None:
        super().__init__()
        self.stage = stage
        self.terms = Terms(inputs, stage.channels, norm)
        self.mix = GroupedLayer(WEIGHT_SIZES[-1] * stage.channels[-1], stage.channels[-1], norm)

    def forward(self, points: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3), features (b, p, inputs) → centres (b, q, 3) and theirs (b, q, outputs)."""
        centres = take(points, farthest_from_centre(points, self.stage.count))
        return centres, self.mix(convolved(self.terms, points, features, centres, self.stage))


def convolved(terms: Terms, points: Tensor, features: Tensor | None, centres: Tensor, stage: Stage) -> Tensor:
    """Σ over the neighbours of each centre of feature times weight: (b, p, 3), … → (b, q, 16 · channels)."""
    near = nearest_points(points, centres, stage.k)
    groups = offsets = take(points, near) - centres.unsqueeze(2)
    if features is not None:
        groups = torch.cat([offsets, take(features, near)], dim=-1)
    inverse = take(inverse_density(points, stage.bandwidth), near)
    values, weights = terms(groups, offsets, inverse)
    summed: Tensor = (values.mT @ weights).flatten(2)
    return summed


def inverse_density(points: Tensor, bandwidth: float) -> Tensor:
    """One over the mean of Gaussians about all points, up to the factor that the largest takes away.

    Args:
        points: (b, p, 3).
        bandwidth: their standard deviation.

    Returns:
        (b, p, 1), differentiable.
    """
    centred = points - points.mean(dim=1, keepdim=True)
    lengths = centred.square().sum(dim=2, keepdim=True)
    squares = (lengths + lengths.mT - 2 * centred @ centred.mT).clamp_min(0)
    kernels = torch.exp(squares / (-2 * bandwidth**2))
    return kernels.mean(dim=2, keepdim=True).reciprocal()
