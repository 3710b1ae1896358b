"""PointNet in the flavours of the condensation papers.

C. R. Qi, H. Su, K. Mo, L. J. Guibas, "PointNet: Deep learning on point sets for 3D classification and
segmentation", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models.grouped_layers import check_network, check_sizes
from cl3d.models.layers import classifier, pooled_layers, shared_layers
from cl3d.models.pooled_last import PooledLast
from cl3d.models.transform_net import TransformNet


class PointNet(PooledLast):
    """Layers shared by all points, a max over points, a classifier.

    Each shared layer is linear, norm and ReLU. The feature map is that of the last one;
    :meth:`features` finds its max without forming it (:func:`cl3d.ops.pooled_linear.pooled_linear`).

    Deviates: transforms and dropout are off unless asked for, as in the condensation papers' networks; no
    loss holds the transform of features near orthogonal matrices, as the loss is not the network's.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        channels: outputs of the shared layers; the last is ``feature_dim``.
        head: sizes of the classifier's hidden layers; empty for a single linear layer.
        norm: ``"batch"``; ``"instance"`` (per cloud and channel, without weights; of two points at least),
            ``"group"`` (per cloud and group of channels), both with LayerNorm in the head's hidden layers;
            ``"none"``.
        transforms: learn a 3 × 3 transform of the coordinates and a c × c transform of the features after
            the second shared layer (c its channels), each starting as the identity.
        dropout: probability before the last linear layer.
        fused: take the fast paths; False computes the same network layer by layer, as a check.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        channels: Sequence[int] = (64, 64, 64, 128, 1024),
        head: Sequence[int] = (512, 256),
        norm: str = "batch",
        transforms: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        _check(channels, head, transforms)
        self.num_classes, self.in_channels = num_classes, in_channels
        self.feature_dim = channels[-1]
        self.layers = shared_layers((in_channels, *channels), norm, fused)
        self.classifier = classifier((channels[-1], *head), num_classes, norm, dropout)
        self.point_transform = TransformNet(3, in_channels, norm, fused) if transforms else None
        self.feature_transform = TransformNet(channels[1], channels[1], norm, fused) if transforms else None

    def before_last(self, points: Tensor) -> Tensor:
        """See :class:`~cl3d.models.pooled_last.PooledLast`."""
        x, left = self._turned(points)
        before: Tensor = left[:-1](x)
        return before

    def features(self, points: Tensor) -> Tensor:
        """See :class:`~cl3d.models.pooled_last.PooledLast`."""
        x, left = self._turned(points)
        return pooled_layers(left, x)

    def _turned(self, points: Tensor) -> tuple[Tensor, nn.Sequential]:
        """Behind the transforms: (b, p, in_channels) → (b, p, d), and the layers that are left."""
        x = points if self.point_transform is None else self.point_transform(points)
        if self.feature_transform is None:
            return x, self.layers
        return self.feature_transform(self.layers[:2](x)), self.layers[2:]


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


def _check(channels: Sequence[int], head: Sequence[int], transforms: bool) -> None:
    check_sizes("channels", channels)
    check_sizes("head", head, least=0)
    if transforms and len(channels) < 3:
        raise InputError(
            f"channels={tuple(channels)} with transforms=True: give at least 3, as one acts after the second"
        )
