"""Avalanche strategies whose network segments: what it is given, and what its loss is."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.errors import InputError
from cl3d.models import SegmentationNet

PARTS = 2
"""The place of parts in a batch: behind points and labels, before the task label."""


def batch_of(strategy: Any) -> PointClouds:
    """The batch of a strategy, as clouds with parts.

    Raises:
        InputError: if its items have no parts.
    """
    batch = strategy.mbatch
    if len(batch) < PARTS + 2:
        raise InputError(
            "the stream has no part labels, which its network is to learn: give "
            "class_incremental(dataset, steps, order, parts=True)"
        )
    return PointClouds(batch[0], batch[1], batch[PARTS])


class SegmentsParts:
    """Teaches a strategy to work with networks that segment: ``class Segmenting(SegmentsParts, Naive)``.

    The network is given clouds and their classes; the loss is the strategy's criterion over all points, among
    the parts of all classes together, as wherever this library trains such networks. Networks that classify
    are left to the strategy. Strategies that send clouds through the network beside ``forward``, as EWC and
    LwF do, do not tell it the classes and are refused by it. Avalanche's accuracy metrics compare clouds and
    do not fit: give ``evaluator=EvaluationPlugin()``, and
    :class:`~cl3d.continual.part_recorder.PartRecorder`.
    """

    model: Any

    def forward(self) -> Tensor:
        """Logits: (b, p, parts); or the strategy's own."""
        if not isinstance(self.model, SegmentationNet):
            own: Tensor = super().forward()  # type: ignore[misc]
            return own
        shapes = batch_of(self)
        logits: Tensor = self.model(shapes.points, shapes.labels)
        return logits

    def criterion(self) -> Tensor:
        """Mean over all points of the batch; or the strategy's own."""
        if not isinstance(self.model, SegmentationNet):
            own: Tensor = super().criterion()  # type: ignore[misc]
            return own
        return point_criterion(self._criterion, self.mb_output, batch_of(self))  # type: ignore[attr-defined]


def point_criterion(criterion: Any, logits: Tensor, shapes: PointClouds) -> Tensor:
    """A criterion of classes, as cross-entropy, over points: (b, p, parts) logits."""
    assert shapes.parts is not None
    loss: Tensor = criterion(logits.mT, shapes.parts)
    return loss
