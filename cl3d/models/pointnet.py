"""PointNet in the flavours of the condensation papers.

C. R. Qi, H. Su, K. Mo, L. J. Guibas, "PointNet: Deep learning on point sets for 3D classification and
segmentation", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models.layers import NORMS, SharedLayer, classifier
from cl3d.models.pooled_last import PooledLast

TRANSFORM_CHANNELS, TRANSFORM_HEAD = (64, 128, 1024), (512, 256)


class PointNet(PooledLast):
    """Layers shared by all points, a max over points, a classifier.

    Each shared layer is linear, norm and ReLU. The feature map is that of the last one;
    :meth:`features` finds its max without forming it (:func:`cl3d.ops.pooled_linear.pooled_linear`).

    Args:
        num_classes: number of logits.
        channels: outputs of the shared layers; the last is ``feature_dim``.
        head: sizes of the classifier's hidden layers; empty for a single linear layer.
        norm: ``"batch"``; ``"instance"`` (per cloud and channel, without weights), ``"group"`` (per cloud
            and group of channels), both with LayerNorm in the head's hidden layers; ``"none"``.
        transforms: learn a 3 × 3 transform of the points and a c × c transform of the features after
            the second shared layer (c its channels), each starting as the identity.
        dropout: probability before the last linear layer.
        fused: take the fast paths; False computes the same network layer by layer, as a check.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_classes: int,
        channels: Sequence[int] = (64, 64, 64, 128, 1024),
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        transforms: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        _check(num_classes, channels, head, norm, transforms, dropout)
        self.num_classes = num_classes
        self.feature_dim = channels[-1]
        self.layers = _shared((3, *channels), norm, fused)
        self.classifier = classifier((channels[-1], *head), num_classes, norm, dropout)
        self.point_transform = TransformNet(3, norm, fused) if transforms else None
        self.feature_transform = TransformNet(channels[1], norm, fused) if transforms else None

    def before_last(self, points: Tensor) -> Tensor:
        """See :class:`~cl3d.models.pooled_last.PooledLast`."""
        x = points
        if self.point_transform is not None:
            x = self.point_transform(x)
        for depth, layer in enumerate(self.layers[:-1]):
            x = layer(x)
            if depth == 1 and self.feature_transform is not None:
                x = self.feature_transform(x)
        return x


class TransformNet(nn.Module):
    """A small PointNet that predicts a k × k matrix from a cloud and applies it: (b, n, k) → (b, n, k).

    Its last layer starts with zero weights and the identity as bias, as in Qi et al., section 5.3.
    """

    def __init__(self, k: int, norm: str, fused: bool) -> None:
        super().__init__()
        self.layers = _shared((k, *TRANSFORM_CHANNELS), norm, fused)
        self.classifier = classifier((TRANSFORM_CHANNELS[-1], *TRANSFORM_HEAD), k * k, norm)
        last = self.classifier[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight.zero_()
            last.bias.copy_(torch.eye(k).flatten())

    def forward(self, x: Tensor) -> Tensor:
        """Each point times its cloud's matrix."""
        before_last, last = self.layers[:-1](x), self.layers[-1]
        assert isinstance(last, SharedLayer)
        matrices = self.classifier(last.pooled(before_last))
        return torch.bmm(x, matrices.unflatten(1, (x.shape[2], x.shape[2])))


def pointnet_small(num_classes: int, **overrides: Any) -> PointNet:
    """PointNet of three shared layers, 64-128-512; ``overrides`` are arguments of :class:`PointNet`."""
    return PointNet(num_classes, **{"channels": (64, 128, 512), **overrides})


def pointnet_large(num_classes: int, **overrides: Any) -> PointNet:
    """PointNet of seven shared layers, 64-64-64-128-256-512-1024.

    ``overrides`` as in :func:`pointnet_small`.
    """
    return PointNet(num_classes, **{"channels": (64, 64, 64, 128, 256, 512, 1024), **overrides})


def pointnet_light(num_classes: int, **overrides: Any) -> PointNet:
    """The light PointNet of DD3D: 64-128-1024, InstanceNorm without weights, one linear classifier.

    ``overrides`` as in :func:`pointnet_small`.
    """
    light: dict[str, Any] = {"channels": (64, 128, 1024), "head": (), "norm": "instance"}
    return PointNet(num_classes, **{**light, **overrides})


def _shared(sizes: Sequence[int], norm: str, fused: bool) -> nn.Sequential:
    return nn.Sequential(*[SharedLayer(before, after, norm, fused) for before, after in pairwise(sizes)])


def _check(
    num_classes: int,
    channels: Sequence[int],
    head: Sequence[int],
    norm: str,
    transforms: bool,
    dropout: float,
) -> None:
    if num_classes < 1:
        raise InputError(f"num_classes={num_classes}: give at least 1")
    if not channels or min([*channels, *head]) < 1:
        raise InputError(
            f"channels={tuple(channels)}, head={tuple(head)}: give positive sizes, at least one in channels"
        )
    if norm not in NORMS:
        raise InputError(f"norm={norm!r} is unknown: give one of {', '.join(NORMS)}")
    if transforms and len(channels) < 3:
        raise InputError(
            f"channels={tuple(channels)} with transforms=True: give at least 3, as one acts after the second"
        )
    if not 0 <= dropout < 1:
        raise InputError(f"dropout={dropout}: give a probability from 0 to below 1")
