"""Gradient matching: the synthetic clouds of a class pull a network's weights as the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.errors import InputError
from cl3d.models import Backbone

EPSILON = 1e-6
"""Added to the product of norms below the cosine."""


@dataclass(frozen=True)
class GradientMatching:
    """Distance between the gradients of the mean cross-entropy on real and synthetic clouds.

    Weights of two or more dimensions are compared; biases and norm parameters are not.

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
    passes: ClassVar[tuple[float, float]] = (1.0, 3.0)

    def __post_init__(self) -> None:
        if self.distance not in DISTANCES:
            raise InputError(f"distance={self.distance!r} is unknown: give one of {', '.join(DISTANCES)}")

    def __call__(self, net: Backbone, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.objectives.Objective`."""
        return self.compare(self.means(net, real, False), self.means(net, synthetic, True))

    def means(self, net: Backbone, clouds: PointClouds, differentiable: bool) -> Sequence[Tensor]:
        """The gradient of each weight."""
        weights = [p for p in net.parameters() if p.requires_grad and p.ndim > 1]
        loss = nn.functional.cross_entropy(net(clouds.points), clouds.labels)
        # a weight that the network has but does not use counts as one with gradient 0
        return torch.autograd.grad(loss, weights, create_graph=differentiable, materialize_grads=True)

    def compare(self, wanted: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
        """See :func:`gradient_distance`."""
        return gradient_distance(wanted, found, self.distance)


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
