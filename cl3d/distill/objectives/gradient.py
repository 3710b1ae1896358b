"""Gradient matching: the synthetic clouds of a class pull a network's weights as the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import vmap

from cl3d.clouds import PointClouds
from cl3d.distill.objectives.base import Objective
from cl3d.distill.objectives.class_gradient import class_gradients
from cl3d.distill.objectives.part_gradient import part_gradients
from cl3d.distill.views import mean_loss, shared_parts
from cl3d.errors import InputError
from cl3d.models import Backbone, Net, SegmentationNet

EPSILON = 1e-6
"""Added to the product of norms below the cosine."""


@dataclass(frozen=True)
class GradientMatching:
    """Distance between the gradients of the mean cross-entropy on real and synthetic clouds.

    Weights of two or more dimensions are compared; biases and norm parameters are not. Through a net that
    segments, the cross-entropy is that of the parts of all points in one iteration, and of one part after the
    other in the next (DD3D, eq. 13 and 14): see :class:`PartGradientMatching`.

    Attributes:
        distance: ``"layer_cosine"``: per layer 1 - cos of the flattened gradients (PCC, eq. 18);
            ``"row_cosine"``: the same per output row, summed (Zhao et al., "Dataset condensation
            with gradient matching", ICLR 2021, appendix A); ``"mse"``: the mean squared difference per
            layer (PCC, eq. 15 with the squared norm). A layer or row whose real gradient is 0 counts 0.
    """

    distance: str = "layer_cosine"
    joint: ClassVar[bool] = False
    needs_target: ClassVar[bool] = False
    second_order: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.distance not in DISTANCES:
            raise InputError(f"distance={self.distance!r} is unknown: give one of {', '.join(DISTANCES)}")

    def at(self, iteration: int) -> Objective:
        """See :class:`~cl3d.distill.objectives.Alternates`."""
        return self if iteration % 2 == 0 else PartGradientMatching(self.distance)

    def passes(self, synthetic: float) -> tuple[float, float]:
        """See :class:`~cl3d.distill.Objective`."""
        del synthetic
        return 1.0, 3.0

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        return self.compare(self.means(net, real, False), self.means(net, synthetic, True))

    def losses(self, net: Net, real: PointClouds, synthetic: PointClouds, classes: int) -> Tensor:
        """See :class:`~cl3d.distill.objectives.MatchesTogether`."""
        assert isinstance(net, Backbone)
        with torch.no_grad():
            wanted = class_gradients(net, _weights(net), real, classes)
        found = class_gradients(net, _weights(net), synthetic, classes)
        losses: Tensor = vmap(self.compare)(wanted, found)
        return losses

    def means(self, net: Net, clouds: PointClouds, differentiable: bool) -> Sequence[Tensor]:
        """The gradient of each weight."""
        # a weight that the network has but does not use counts as one with gradient 0
        return torch.autograd.grad(
            mean_loss(net, clouds), _weights(net), create_graph=differentiable, materialize_grads=True
        )

    def compare(self, wanted: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
        """See :func:`gradient_distance`."""
        return gradient_distance(wanted, found, self.distance)


@dataclass(frozen=True)
class PartGradientMatching(GradientMatching):
    """Gradients matched part by part in all iterations: summed over the parts of a class.

    Parts that real or synthetic clouds lack do not count. Through a network that classifies there are no
    parts, and it is :class:`GradientMatching`.
    """

    def at(self, iteration: int) -> Objective:
        """Always itself."""
        return self

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        if not isinstance(net, SegmentationNet):
            return super().__call__(net, real, synthetic)
        weights, parts = _weights(net), shared_parts(real, synthetic)
        targets = part_gradients(net, weights, real, parts, create_graph=False)
        found = part_gradients(net, weights, synthetic, parts, create_graph=True)
        distances = [gradient_distance(t, f, self.distance) for t, f in zip(targets, found, strict=True)]
        return torch.stack(distances).sum() if distances else 0 * synthetic.points.sum()


@dataclass(frozen=True)
class WholeGradientMatching(GradientMatching):
    """Gradients of whole shapes matched in all iterations, also through networks that segment."""

    def at(self, iteration: int) -> Objective:
        """Always itself."""
        return self


def gradient_distance(targets: Sequence[Tensor], gradients: Sequence[Tensor], distance: str) -> Tensor:
    """Sums a distance over layers.

    Args:
        targets: the real gradients, one per layer, first dimension the output rows.
        gradients: the synthetic ones, of the same shapes.
        distance: see :class:`GradientMatching`.
    """
    measure = DISTANCES[distance]
    pairs = zip(targets, gradients, strict=True)
    return torch.stack([measure(t.flatten(1), g.flatten(1)) for t, g in pairs]).sum()


def _weights(net: nn.Module) -> list[nn.Parameter]:
    """Those whose gradients are compared."""
    return [p for p in net.parameters() if p.requires_grad and p.ndim > 1]


def _layer_cosine(target: Tensor, gradient: Tensor) -> Tensor:
    return _row_cosine(target.reshape(1, -1), gradient.reshape(1, -1))


def _row_cosine(target: Tensor, gradient: Tensor) -> Tensor:
    norms = _safe_norm(target) * _safe_norm(gradient)
    cosine = (target * gradient).sum(dim=1) / (norms + EPSILON)
    return ((1 - cosine) * (target != 0).any(dim=1)).sum()


def _mse(target: Tensor, gradient: Tensor) -> Tensor:
    return (target - gradient).square().mean()


def _safe_norm(rows: Tensor) -> Tensor:
    """Norm of each row whose derivatives of any order are 0, not NaN, where the row is 0."""
    squared = rows.square().sum(dim=1)
    positive = squared > 0
    return torch.where(positive, squared, 1.0).sqrt() * positive


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "layer_cosine": _layer_cosine,
    "row_cosine": _row_cosine,
    "mse": _mse,
}
