"""What testing a net that segments gives: how well its parts overlap with the true ones."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.evaluation import Evaluation
from cl3d.distill.training import batches
from cl3d.distill.views import outputs
from cl3d.errors import InputError
from cl3d.models import Net
from cl3d.ops.part_iou import ClassParts, predicted_parts, shape_ious


class PartScore(NamedTuple):
    """What one network reaches on test shapes, by the convention of ShapeNetPart; all in [0, 1].

    Attributes:
        instance_miou: mean over the shapes of their IoU; see :func:`cl3d.ops.part_iou.shape_ious`.
        class_miou: mean over the classes of the mean over their shapes.
        accuracy: share of all points whose part is right.
        per_class: the mean IoU of each class that has test shapes.
    """

    instance_miou: float
    class_miou: float
    accuracy: float
    per_class: dict[int, float]


@dataclass(frozen=True)
class PartEvaluation(Evaluation):
    """Test scores of nets that segment, trained on one set, each after its last epoch.

    Attributes:
        accuracies: of points.
        per_class: mean IoU of each class that has test shapes.
        best_epoch: the best instance mIoU after any epoch; see :class:`Evaluation`.
        instance_mious, class_mious: one per network; see :class:`PartScore`.
    """

    instance_mious: tuple[float, ...] = ()
    class_mious: tuple[float, ...] = ()
    figure: ClassVar[str] = "instance mIoU"

    @property
    def figures(self) -> tuple[float, ...]:
        """Instance mIoUs."""
        return self.instance_mious

    def __str__(self) -> str:
        others = {"class mIoU": self.class_mious, "points": self.accuracies}
        told = ", ".join(f"{name} {100 * statistics.fmean(own):.1f} %" for name, own in others.items())
        return f"{super().__str__()}; {told}"


class PartCounts:
    """Counts, class by class, how predicted parts overlap with the true ones, batch after batch.

    Args:
        class_parts: the parts of each class, by its label.
        candidates: those that stand to choice for a shape of each class; None: its own.
    """

    def __init__(self, class_parts: ClassParts, candidates: ClassParts | None = None) -> None:
        self.class_parts = class_parts
        self.candidates = class_parts if candidates is None else candidates
        self._ious, self._right, self._shapes, self._points = (
            torch.zeros(len(class_parts), dtype=torch.float64) for _ in range(4)
        )

    def add(self, logits: Tensor, shapes: PointClouds) -> None:
        """Counts a batch: (b, p, parts) logits of b shapes with parts."""
        assert shapes.parts is not None
        found = predicted_parts(logits, shapes.labels, self.candidates)
        ious = shape_ious(found, shapes.parts, shapes.labels, self.class_parts).cpu()
        labels, right = shapes.labels.cpu(), (found == shapes.parts).sum(dim=1).cpu()
        self._ious.index_add_(0, labels, ious)
        self._right.index_add_(0, labels, right.double())
        self._shapes.index_add_(0, labels, torch.ones_like(ious))
        self._points.index_add_(0, labels, torch.full_like(ious, shapes.num_points))

    def score(self, classes: Sequence[int] | None = None) -> PartScore | None:
        """Over the shapes of these classes, None takes all; None where none was counted."""
        wanted = range(len(self.class_parts)) if classes is None else sorted(classes)
        there = [label for label in wanted if self._shapes[label] > 0]
        if not there:
            return None
        means = self._ious / self._shapes
        return PartScore(
            instance_miou=float(self._ious[there].sum() / self._shapes[there].sum()),
            class_miou=float(means[there].mean()),
            accuracy=float(self._right[there].sum() / self._points[there].sum()),
            per_class={label: float(means[label]) for label in there},
        )


def check_parts(clouds: PointClouds, class_parts: ClassParts, what: str) -> None:
    """Refuses shapes with parts that their classes do not have.

    Args:
        what: to call them in the message.

    Raises:
        InputError: naming the class.
    """
    assert clouds.parts is not None
    for label in clouds.classes:
        own = set(class_parts[label]) if label < len(class_parts) else set[int]()
        found = clouds.parts[clouds.labels == label].unique().tolist()
        if not set(found) <= own:
            raise InputError(
                f"{what} of class {label} have parts {found}, but its parts are {sorted(own)}: "
                "give part names, or class_parts, that name them all"
            )


def check_class_parts(class_parts: Any, num_parts: int) -> None:
    """Refuses parts of classes that are no outputs of the network, before it is trained.

    Raises:
        InputError: naming the class.
    """
    if isinstance(class_parts, Mapping):
        raise InputError("class_parts is a mapping: give a list with the parts of class 0, of class 1, ...")
    for label, own in enumerate(class_parts):
        listed = isinstance(own, Sequence) and all(isinstance(part, Integral) for part in own)
        if not listed or len(set(own)) < len(own) or not all(0 <= part < num_parts for part in own):
            raise InputError(
                f"class_parts: class {label} has parts {own}: give different whole numbers from 0 to "
                f"{num_parts - 1}, of which the network has an output each"
            )


class PartTest:
    """Compares predicted with true parts of test shapes, whose classes the network is told.

    Raises:
        InputError: if a shape has a part that its class does not.
    """

    def __init__(self, clouds: PointClouds, class_parts: ClassParts) -> None:
        check_parts(clouds, class_parts, "the test clouds")
        self.clouds, self.class_parts = clouds, class_parts

    def __call__(self, net: Net) -> PartScore:
        """See :class:`cl3d.distill.evaluation.Test`."""
        device, counts = next(net.parameters()).device, PartCounts(self.class_parts)
        net.eval()
        with torch.no_grad():
            for batch in batches([self.clouds], 32, None):
                shapes = batch.to(device)
                counts.add(outputs(net, shapes), shapes)
        score = counts.score()
        assert score is not None
        return score

    def figure(self, score: PartScore) -> float:
        """Instance mIoU."""
        return score.instance_miou

    def evaluation(self, scores: Sequence[PartScore], best_epoch: tuple[float, ...]) -> PartEvaluation:
        """See :class:`cl3d.distill.evaluation.Test`."""
        return PartEvaluation(
            accuracies=tuple(score.accuracy for score in scores),
            per_class={
                label: statistics.fmean(score.per_class[label] for score in scores)
                for label in scores[0].per_class
            },
            best_epoch=best_epoch,
            instance_mious=tuple(score.instance_miou for score in scores),
            class_mious=tuple(score.class_miou for score in scores),
        )


def parts_found(*several: PointClouds) -> list[list[int]]:
    """The parts that occur in the clouds of each class, by its label."""
    classes = 1 + max(int(clouds.labels.max()) for clouds in several)
    found: list[set[int]] = [set() for _ in range(classes)]
    for clouds in several:
        assert clouds.parts is not None
        for label in clouds.classes:
            found[label] |= set(clouds.parts[clouds.labels == label].unique().tolist())
    return [sorted(own) for own in found]
