"""Backbones whose feature map is one shared layer's output, so that it is pooled without being formed."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from cl3d.models.base import Backbone
from cl3d.models.layers import SharedLayer


class PooledLast(Backbone):
    """A backbone that ends, before its pool, in the last of ``layers``, a :class:`SharedLayer`.

    Attributes:
        layers: the last of them is the one that is pooled.
    """

    layers: nn.Sequential

    @abstractmethod
    def before_last(self, points: Tensor) -> Tensor:
        """What the last layer is given: (b, p, in_channels) → (b, q, its inputs)."""

    def point_features(self, points: Tensor) -> Tensor:
        """The last layer's output: (b, p, in_channels) → (b, q, feature_dim)."""
        features: Tensor = self.layers[-1](self.before_last(points))
        return features

    def features(self, points: Tensor) -> Tensor:
        """Its max over points: (b, p, in_channels) → (b, feature_dim)."""
        last = self.layers[-1]
        assert isinstance(last, SharedLayer)
        return last.pooled(self.before_last(points))
