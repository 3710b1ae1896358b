"""The contracts of networks: backbones, which classify clouds, and nets that segment them into parts."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from cl3d.errors import InputError


class Backbone(nn.Module, ABC):
    """A classifier of point clouds, cut where the condensation methods look into it.

    Shapes: ``points`` (b, p, in_channels) → :meth:`point_features` (b, q, d) → :meth:`pool`
    (b, feature_dim) → :meth:`head` (b, num_classes). Any number of points p is taken and their order does
    not change the feature; q is p, or another number where the backbone subsamples. Every step works in the
    dtype and on the device of the parameters and may be differentiated twice, unless it says otherwise.

    A subclass sets the attributes in its constructor and implements :meth:`point_features`; it overrides
    :meth:`pool` where that is more than a max, and :meth:`head` where that is more than the classifier.
    ``cl3d.testing.backbones.check_backbone`` checks all that this contract says.

    Attributes:
        feature_dim: length of the pooled feature.
        num_classes: number of logits.
        in_channels: of a point: its coordinates, then whatever else it carries (normals, colours, …).
        twice_differentiable: whether gradients by the weights may be differentiated; False, say, where a
            compiled operation has one backward pass. Objectives that need more then refuse the backbone.
        batchable: whether ``torch.func.vmap`` and ``grad`` run through it, as they do where all it does is
            done by torch's own operations, none in place. On CUDA classes, and networks, are then taken
            together instead of one after the other.
        classifier: from the feature to the logits.
    """

    feature_dim: int
    num_classes: int
    in_channels: int = 3
    twice_differentiable: bool = True
    batchable: bool = False
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
        """Logits: (b, p, in_channels) → (b, num_classes).

        Raises:
            InputError: if the points have another shape.
        """
        _check_points(points, self.in_channels)
        return self.head(self.features(points))


def coordinates_and_features(points: Tensor) -> tuple[Tensor, Tensor | None]:
    """Where points are, (b, p, 3), and what else they carry, (b, p, in_channels - 3), None if nothing."""
    return points[..., :3], points[..., 3:] if points.shape[-1] > 3 else None


class SegmentationNet(nn.Module, ABC):
    """A network that gives every point of a cloud of known class logits of its part.

    Shapes: ``points`` (b, p, in_channels) and ``shape_class`` (b,) → :meth:`point_features`
    (b, p, feature_dim) → :meth:`head` (b, p, num_parts). Any number of points p is taken; points in another
    order have their logits in that order. Every step works in the dtype and on the device of the parameters
    and may be differentiated twice.

    Parts are those of all classes together; which of them a class has is not known here.

    A subclass sets the attributes in its constructor and implements :meth:`point_features`.
    ``cl3d.testing.segmentation.check_segmentation`` checks all that this contract says.

    Attributes:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point: its coordinates, then whatever else it carries (normals, colours, …).
        feature_dim: length of a point's feature.
        classifier: from a point's feature to its logits.
    """

    num_shapes: int
    num_parts: int
    in_channels: int = 3
    feature_dim: int
    classifier: nn.Module

    @abstractmethod
    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """The feature of every point: (b, p, in_channels) and (b,) int64 → (b, p, feature_dim)."""

    def head(self, f: Tensor) -> Tensor:
        """Features to logits: (b, p, feature_dim) → (b, p, num_parts)."""
        logits: Tensor = self.classifier(f)
        return logits

    def forward(self, points: Tensor, shape_class: Tensor | None = None) -> Tensor:
        """Logits: (b, p, in_channels) and (b,) int64 → (b, p, num_parts).

        Raises:
            InputError: if the points have another shape, or there is not one class for each cloud.
        """
        if shape_class is None:  # as whatever takes it for a network that classifies calls it
            raise InputError(
                f"{type(self).__name__} is given clouds without their classes: call it with points and "
                "shape_class; in Avalanche put SegmentsParts before the strategy, of which none works that "
                "sends clouds through the network by itself, as EWC and LwF do"
            )
        _check_points(points, self.in_channels)
        return self.head(self.point_features(points, shape_class))

    def one_hot(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """The classes as rows of zeros with a one, (b, num_shapes), in the dtype of the points.

        Raises:
            InputError: if there is not one class for each cloud, from 0 to ``num_shapes - 1``.
        """
        whole = shape_class.dtype == torch.int64 and shape_class.shape == points.shape[:1]
        if not whole or bool(((shape_class < 0) | (shape_class >= self.num_shapes)).any()):
            raise InputError(
                f"shape_class of shape {tuple(shape_class.shape)} and {shape_class.dtype} for "
                f"{len(points)} clouds: give a class from 0 to {self.num_shapes - 1} for each, in int64"
            )
        return nn.functional.one_hot(shape_class, self.num_shapes).to(points)


Net = Backbone | SegmentationNet
"""A network of either task."""


def _check_points(points: Tensor, in_channels: int) -> None:
    if points.ndim != 3 or points.shape[1] == 0 or points.shape[2] != in_channels:
        raise InputError(
            f"points of shape {tuple(points.shape)} for a network of in_channels={in_channels}: "
            f"give (b, p, {in_channels}) with at least one point"
        )
