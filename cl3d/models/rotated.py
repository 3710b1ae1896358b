"""A backbone behind a rotator: its logits do not hang on how a cloud is turned."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from cl3d.errors import InputError
from cl3d.models.base import Backbone
from cl3d.models.rotator import Rotator


class Rotated(Backbone):
    """Turns every cloud into canonical orientation, then hands it to a backbone (DD3D, eq. 13: f ∘ r).

    Args:
        backbone: any; its feature map, pool and head are this one's.
        rotator: what turns the clouds.

    Raises:
        InputError: if the backbone takes more than coordinates: normals would have to turn, too.
    """

    def __init__(self, backbone: Backbone, rotator: Rotator) -> None:
        super().__init__()
        if backbone.in_channels != 3:
            raise InputError(
                f"a backbone of in_channels={backbone.in_channels} behind a rotator, which turns coordinates "
                "alone: give in_channels=3"
            )
        self.num_classes, self.feature_dim = backbone.num_classes, backbone.feature_dim
        self.twice_differentiable = backbone.twice_differentiable
        self.batchable = backbone.batchable
        self.backbone, self.rotator = backbone, rotator

    def point_features(self, points: Tensor) -> Tensor:
        """The backbone's feature map of the turned clouds: (b, p, 3) → (b, q, d)."""
        return self.backbone.point_features(self.rotator(points))

    def pool(self, f: Tensor) -> Tensor:
        """The backbone's pool: (b, q, d) → (b, feature_dim)."""
        return self.backbone.pool(f)

    def features(self, points: Tensor) -> Tensor:
        """The backbone's feature of the turned clouds: (b, p, 3) → (b, feature_dim)."""
        return self.backbone.features(self.rotator(points))

    def head(self, g: Tensor) -> Tensor:
        """The backbone's head: (b, feature_dim) → (b, num_classes)."""
        return self.backbone.head(g)


def rotated(
    num_classes: int, backbone: Callable[[int], Backbone], w0: float = 1.0, width: int | None = None
) -> Rotated:
    """A backbone behind a rotator, for configs: ``w0`` and ``width`` are those of :class:`Rotator`.

    Args:
        backbone: builds the network for a number of classes.
    """
    return Rotated(backbone(num_classes), Rotator(w0, width))
