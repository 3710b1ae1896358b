"""What networks make of clouds: one way to ask those that classify and those that segment."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cl3d.clouds import PointClouds
from cl3d.errors import InputError
from cl3d.models import Backbone, SegmentationNet
from cl3d.numerics import as_asked


@as_asked
def outputs(net: nn.Module, clouds: PointClouds) -> Tensor:
    """Logits: (b, classes) of the clouds; or, of a net that segments, (b, p, parts) of their points."""
    logits: Tensor = (
        net(clouds.points, clouds.labels) if isinstance(net, SegmentationNet) else net(clouds.points)
    )
    return logits


@as_asked
def logits_with(net: Backbone, state: Any, points: Tensor) -> Tensor:
    """Logits with other tensors in the place of the backbone's own, for :mod:`torch.func`.

    Args:
        state: as ``torch.func.functional_call`` takes it.
    """
    logits: Tensor = functional_call(net, state, (points,))
    return logits


def mean_loss(net: nn.Module, clouds: PointClouds) -> Tensor:
    """Mean cross-entropy over the clouds; or, of a net that segments, over all their points."""
    if isinstance(net, SegmentationNet):
        return point_losses(net, clouds).mean()
    logits = outputs(net, clouds)
    return nn.functional.cross_entropy(logits, clouds.targets(logits.shape[1]))


def point_losses(net: SegmentationNet, clouds: PointClouds) -> Tensor:
    """Cross-entropy of each point's part among those of all classes, (b, p)."""
    assert clouds.parts is not None
    return nn.functional.cross_entropy(outputs(net, clouds).mT, clouds.parts, reduction="none")


@as_asked
def feature_map(net: Any, clouds: PointClouds) -> Tensor:
    """Features of points, (b, q, d); q is p for nets that segment."""
    found: Tensor = (
        net.point_features(clouds.points, clouds.labels)
        if isinstance(net, SegmentationNet)
        else net.point_features(clouds.points)
    )
    return found


def pool(net: Any, features: Tensor) -> Tensor:
    """A feature map's pool, (b, d): the backbone's own; for nets that segment the max over points."""
    found: Tensor = features.max(dim=1).values if isinstance(net, SegmentationNet) else net.pool(features)
    return found


@as_asked
def pooled(net: Any, clouds: PointClouds) -> Tensor:
    """The pool of the feature map, (b, d)."""
    if isinstance(net, SegmentationNet):
        return pool(net, feature_map(net, clouds))
    found: Tensor = net.features(clouds.points)
    return found


def by_class(values: Tensor, classes: int) -> Tensor:
    """Values of clouds that come class after class, n of each: (classes · n, ...) → (classes, n, ...)."""
    return values.view(classes, -1, *values.shape[1:])


def shared_parts(one: PointClouds, other: PointClouds) -> list[int]:
    """The parts that points of both have, ascending."""
    assert one.parts is not None
    assert other.parts is not None
    present = one.parts.unique()
    return [int(part) for part in present[torch.isin(present, other.parts)]]


def for_net(net: nn.Module, clouds: PointClouds, what: str) -> PointClouds:
    """The clouds as the net learns from them: with parts for one that segments, without for any other.

    Args:
        what: to call them in the message.

    Raises:
        InputError: if a net that segments is given clouds without parts, or with parts that it lacks.
    """
    if not isinstance(net, SegmentationNet):
        return clouds.without_parts()
    if clouds.parts is None:
        raise InputError(
            f"{what}: its points have no part labels, which {type(net).__name__} is to learn: give data that "
            "has some (shapes40, labeled_parts, shapenetpart), and sets made of it by a net that segments"
        )
    low, high = (int(bound) for bound in torch.aminmax(clouds.parts))
    if low < 0:
        raise InputError(
            f"{what} has part {low}: number parts from 0, and give points without a label a part of their own"
        )
    if high >= net.num_parts:
        raise InputError(
            f"{what} has parts {low} to {high}, {type(net).__name__} {net.num_parts} outputs: "
            "give num_parts, the parts of all classes together"
        )
    return clouds
