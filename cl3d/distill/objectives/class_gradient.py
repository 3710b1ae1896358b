"""Gradients of the loss of several classes at once."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.func import grad, vmap

from cl3d.clouds import PointClouds
from cl3d.distill.views import by_class, logits_with
from cl3d.models import Backbone


def class_gradients(
    net: Backbone, weights: Sequence[nn.Parameter], clouds: PointClouds, classes: int
) -> tuple[Tensor, ...]:
    """The gradient by each weight of each class's mean cross-entropy.

    One pass over all classes instead of one for each: with a device on which starting an operation takes
    longer than doing it, the cost hardly grows with the number of classes.

    Args:
        net: a backbone in eval mode.
        clouds: class after class, as many of each.

    Returns:
        Tensors of a weight's shape behind a first axis of classes, with a graph where the points have one.
    """
    everything = {name: parameter.detach() for name, parameter in net.named_parameters()}
    chosen = {id(weight) for weight in weights}
    own = {name: everything[name] for name, parameter in net.named_parameters() if id(parameter) in chosen}

    def loss(values: dict[str, Tensor], points: Tensor, targets: Tensor) -> Tensor:
        logits = logits_with(net, {**everything, **values}, points)
        return nn.functional.cross_entropy(logits, targets)

    targets = clouds.targets(net.num_classes)
    each = vmap(grad(loss), in_dims=(None, 0, 0))
    found = each(own, by_class(clouds.points, classes), by_class(targets, classes))
    return tuple(found.values())
