"""What testing a network gives, and what comes of it for a set: accuracies of classes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.training import batches
from cl3d.html.markup import details, paragraph, table
from cl3d.models import Net

Score = TypeVar("Score")


@dataclass(frozen=True)
class Evaluation:
    """Test accuracies in [0, 1] of networks trained on one set, each after its last epoch.

    Attributes:
        accuracies: one per network.
        per_class: mean accuracy of each class that has test clouds.
        best_epoch: the best accuracy after any epoch, one per network, where asked for: it is selected
            on the test set, an optimistic figure for comparison with tables that give it.
        figure: what ``mean``, ``std`` and ``best_epoch`` are of.
    """

    accuracies: tuple[float, ...]
    per_class: dict[int, float]
    best_epoch: tuple[float, ...] = ()
    figure: ClassVar[str] = "accuracy"

    @property
    def figures(self) -> tuple[float, ...]:
        """What is looked at first, one per network."""
        return self.accuracies

    @property
    def mean(self) -> float:
        """Mean over networks."""
        return statistics.fmean(self.figures)

    @property
    def std(self) -> float:
        """Sample standard deviation over networks; 0 for one."""
        return statistics.stdev(self.figures) if len(self.figures) > 1 else 0.0

    def _repr_html_(self) -> str:
        """What is looked at first, and the accuracy of each class, in a notebook."""
        rows = [(f"class {label}", f"{100 * value:.1f}") for label, value in self.per_class.items()]
        classes = details("Accuracy of each class", table(["class", "accuracy %"], rows))
        return str(paragraph(str(self)) + classes)

    def __str__(self) -> str:
        networks = len(self.figures)
        shown = f"{100 * self.mean:.1f} ± {100 * self.std:.1f} % (last epoch, {networks} networks)"
        if self.best_epoch:
            best = 100 * statistics.fmean(self.best_epoch)
            shown += f"; {best:.1f} % (best epoch, selected on the test set)"
        return shown


class Test(Protocol[Score]):
    """How networks are tested."""

    def __call__(self, net: Net) -> Score:
        """Looks at the test clouds once, in eval mode."""

    def figure(self, score: Score) -> float:
        """What is looked at first."""

    def evaluation(self, scores: Sequence[Score], best_epoch: tuple[float, ...]) -> Evaluation:
        """The scores of several networks together."""


class ClassTest:
    """Counts the test clouds that are classified correctly."""

    def __init__(self, clouds: PointClouds, num_classes: int) -> None:
        self.clouds, self.num_classes = clouds, num_classes
        self.total = torch.bincount(clouds.labels.cpu(), minlength=num_classes)

    def __call__(self, net: Net) -> Tensor:
        """See :class:`Test`; correct clouds of each class."""
        return count_correct(net, self.clouds, self.num_classes)

    def figure(self, score: Tensor) -> float:
        """Accuracy over all clouds."""
        return float(score.sum() / self.total.sum())

    def evaluation(self, scores: Sequence[Tensor], best_epoch: tuple[float, ...]) -> Evaluation:
        """See :class:`Test`."""
        mean = torch.stack(list(scores)).double().mean(dim=0) / self.total
        per_class = {c: float(mean[c]) for c in range(self.num_classes) if self.total[c] > 0}
        return Evaluation(tuple(map(self.figure, scores)), per_class, best_epoch)


def count_correct(net: Net, clouds: PointClouds, num_classes: int, batch_size: int = 64) -> Tensor:
    """Correctly classified clouds of each class, in eval mode.

    Returns:
        (num_classes,) int64 on the CPU.
    """
    device = next(net.parameters()).device
    net.eval()
    right = torch.zeros(num_classes, dtype=torch.int64)
    with torch.no_grad():
        for batch in batches([clouds], batch_size, None):
            hits = net(batch.points.to(device)).argmax(dim=1).cpu() == batch.labels.cpu()
            right += torch.bincount(batch.labels.cpu()[hits], minlength=num_classes)
    return right
