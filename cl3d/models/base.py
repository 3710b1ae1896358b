"""The contract of a backbone: points to a feature map, a pool over it, a head on the pooled feature."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """A classifier of point clouds, cut where the condensation methods look into it.

    Shapes: ``points`` (b, p, in_channels) → :meth:`point_features` (b, q, d) → :meth:`pool`
    (b, feature_dim) → :meth:`head` (b, num_classes). Any number of points p is taken and their order does
    not change the feature; q is p, or another number where the backbone subsamples. Every step works in the
    dtype and on the device of the parameters and may be differentiated twice.

    A subclass sets the attributes in its constructor and implements :meth:`point_features`; it overrides
    :meth:`pool` where that is more than a max, and :meth:`head` where that is more than the classifier.
    ``cl3d.testing.backbones.check_backbone`` checks all that this contract says.

    Attributes:
        feature_dim: length of the pooled feature.
        num_classes: number of logits.
        in_channels: of a point: its coordinates, then whatever else it carries (normals, colours, …).
        classifier: from the feature to the logits.
    """

    feature_dim: int
    num_classes: int
    in_channels: int = 3
    classifier: nn.Module

    @abstractmethod
    def point_features(self, points: Tensor) -> Tensor:
        """The feature map before the pool: (b, p, in_channels) → (b, q, d)."""

    def pool(self, f: Tensor) -> Tensor:
        """Feature map to feature: (b, q, d) → (b, feature_dim); the max over points unless overridden."""
        return f.max(dim=1).values

    def features(self, points: Tensor) -> Tensor:
        """The pooled feature: (b, p, in_channels) → (b, feature_dim).

        An override must equal ``pool(point_features(points))`` in value and in all derivatives; it
        exists because the feature map often need not be formed to know its pool.
        """
        return self.pool(self.point_features(points))

    def head(self, g: Tensor) -> Tensor:
        """Feature to logits: (b, feature_dim) → (b, num_classes); the classifier unless overridden."""
        logits: Tensor = self.classifier(g)
        return logits

    def forward(self, points: Tensor) -> Tensor:
        """Logits: (b, p, in_channels) → (b, num_classes)."""
        return self.head(self.features(points))


def coordinates_and_features(points: Tensor) -> tuple[Tensor, Tensor | None]:
    """Where points are, (b, p, 3), and what else they carry, (b, p, in_channels - 3), None if nothing."""
    return points[..., :3], points[..., 3:] if points.shape[-1] > 3 else None
