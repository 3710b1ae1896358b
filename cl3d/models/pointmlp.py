"""PointMLP and its lite version: residual layers on groups that are normalised to their centres.

X. Ma, C. Qin, H. You, H. Ran, Y. Fu, "Rethinking network design and local geometry in point cloud: A simple
residual MLP framework", ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_positive, check_whole
from cl3d.models.base import Backbone
from cl3d.models.grouped_layers import GroupedLayer, check_network, check_sizes, dropped_classifier
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take

EPSILON = 1e-5
"""Below the standard deviation of the offsets."""


class PointMLP(Backbone):
    """An embedding, stages that halve the points, a max, a classifier.

    Each stage samples half of the points, groups the nearest points in space around each, normalises their
    features by the geometric affine module, maps them by residual layers before and after a max over the
    group.

    Deviates: the standard deviation of the affine module, that of each cloud as in the paper (in the authors'
    first code, of the batch), is sqrt(var + ε²), not std + ε, which has no gradient where all points
    coincide; sampling begins with the point farthest from the mean; each stage
    takes half of the points that there are (the authors' code: half of 1,024, and so on).

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        width: of the embedding.
        growth: factor of the channels in each stage; their product times ``width`` is ``feature_dim``.
        before: residual blocks before the max of each stage.
        after: residual blocks after it.
        expansion: hidden channels of a residual block to its outputs.
        k: points in each group.
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
        growth: Sequence[int] = (2, 2, 2, 2),
        before: Sequence[int] = (2, 2, 2, 2),
        after: Sequence[int] = (2, 2, 2, 2),
        expansion: float = 1.0,
        k: int = 24,
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        _check(width, growth, before, after, expansion, k, head)
        self.embedding = GroupedLayer(in_channels, width, norm)
        self.stages = nn.ModuleList()
        for factor, early, late in zip(growth, before, after, strict=True):
            self.stages.append(Stage(width, width * factor, early, late, expansion, k, norm))
            width *= factor
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, width
        self.classifier = dropped_classifier((width, *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """The features of the last stage's points: (b, p, in_channels) → (b, q, feature_dim)."""
        points, _ = in_order(points)
        x: Tensor = self.embedding(points)
        points = points[..., :3]
        for stage in self.stages:
            points, x = stage(points, x)
        return x


class Stage(nn.Module):
    """Every second point, or every ``stride``-th, with what residual layers make of its neighbours.

    Args:
        places: group coordinates beside features, as the net for segmentation does.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        before: int,
        after: int,
        expansion: float,
        k: int,
        norm: str,
        stride: int = 2,
        places: bool = False,
    ) -> None:
        super().__init__()
        self.k, self.stride, self.places = k, stride, places
        grouped = inputs + 3 if places else inputs
        self.affine = GeometricAffine(grouped)
        self.transfer = GroupedLayer(grouped + inputs, outputs, norm)
        self.before, self.after = (residuals(outputs, blocks, expansion, norm) for blocks in (before, after))

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Points (b, p, 3), features (b, p, inputs) → centres (b, q, 3) and theirs (b, q, outputs)."""
        picks = farthest_from_centre(points, -(-points.shape[1] // self.stride))
        centres, own = take(points, picks), take(features, picks).unsqueeze(2)
        carried = torch.cat([features, points], dim=2) if self.places else features
        groups = take(carried, nearest_points(points, centres, self.k))
        groups = self.affine(groups - take(carried, picks).unsqueeze(2))
        groups = torch.cat([groups, own.expand(-1, -1, groups.shape[2], -1)], dim=-1)
        pooled = self.before(self.transfer(groups)).max(dim=2).values
        return centres, self.after(pooled)


class GeometricAffine(nn.Module):
    """Offsets over their standard deviation in the whole cloud, times α plus β of each channel (eq. 5)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, offsets: Tensor) -> Tensor:
        """(b, q, k, channels) → the same shape."""
        deviation = (offsets.flatten(1).var(dim=1) + EPSILON**2).sqrt()
        return self.alpha * offsets / deviation.view(-1, 1, 1, 1) + self.beta


class Residual(nn.Module):
    """x plus two layers on it, the activation of the second after the sum."""

    def __init__(self, channels: int, hidden: int, norm: str) -> None:
        super().__init__()
        self.first = GroupedLayer(channels, hidden, norm)
        self.second = GroupedLayer(hidden, channels, norm, slope=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, …, channels) → the same shape."""
        return nn.functional.relu(x + self.second(self.first(x)))


def residuals(channels: int, blocks: int, expansion: float, norm: str) -> nn.Sequential:
    """Residual blocks, their hidden channels ``expansion`` times those of the outputs."""
    hidden = max(1, int(channels * expansion))
    return nn.Sequential(*[Residual(channels, hidden, norm) for _ in range(blocks)])


def pointmlp(num_classes: int, **overrides: Any) -> PointMLP:
    """PointMLP as in the paper; ``overrides`` are arguments of :class:`PointMLP`."""
    return PointMLP(num_classes, **overrides)


def pointmlp_elite(num_classes: int, **overrides: Any) -> PointMLP:
    """The lite version: half the width, fewer blocks, with bottlenecks; ``overrides`` as above."""
    blocks = (1, 1, 2, 1)
    elite: dict[str, Any] = {
        "width": 32,
        "growth": (2, 2, 2, 1),
        "before": blocks,
        "after": blocks,
        "expansion": 0.25,
    }
    return PointMLP(num_classes, **{**elite, **overrides})


def _check(
    width: int,
    growth: Sequence[int],
    before: Sequence[int],
    after: Sequence[int],
    expansion: float,
    k: int,
    head: Sequence[int],
) -> None:
    check_whole("width", width, 1)
    check_whole("k", k, 1)
    check_positive("expansion", expansion)
    check_sizes("growth", growth)
    check_sizes("head", head, least=0)
    if not len(growth) == len(before) == len(after) or min(*before, *after) < 0:
        raise InputError(
            f"growth={tuple(growth)}, before={tuple(before)}, after={tuple(after)}: give as many of each, "
            "blocks from 0"
        )
