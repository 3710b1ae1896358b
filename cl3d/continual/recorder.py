"""Recorders: the plugins that look at a network's outputs while it is tested, and make results of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.continual.steps import Step, StepResult
from cl3d.distill.training import batches
from cl3d.models import Net

EVAL_BATCH = 64
Score = TypeVar("Score")


class Recorder(Protocol[Score]):
    """What a run tests with, and how it tells it."""

    def untrained(self, net: Net, clouds: PointClouds) -> Score:
        """What a network reaches on test clouds of one step, whose classes alone stand to choice."""

    def ahead(self) -> Score | None:
        """The same of the strategy's network, from the latest ``eval``; None where nothing can be chosen."""

    def result(
        self, groups: Sequence[Sequence[int]], ahead: Score | None, untrained: Score, **others: Any
    ) -> Step:
        """A step's result, from the latest ``eval``, which was on the test clouds of all classes seen.

        Args:
            groups: the classes of each step of the stream.
            others: all that has nothing to do with scores; see :class:`~cl3d.continual.steps.Step`.
        """


class AccuracyRecorder(SupervisedPlugin):
    """Counts test clouds, and those classified correctly, class by class, over one ``eval`` call.

    Args:
        steps: the classes of each step, a partition of all classes.

    Attributes:
        correct, total: (num_classes,) int64 on the CPU.
        correct_in_task: those that are correct when the cloud's step is told, and only its classes stand
            to choice (task-incremental evaluation).
        knows_tasks: whether a class of some cloud's step could be chosen: a score of minus infinity, as
            nearest means give classes that are not in the memory, is none.
    """

    def __init__(self, steps: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.num_classes = sum(map(len, steps))
        self._step = torch.zeros(self.num_classes, dtype=torch.int64)  # of each class
        for number, classes in enumerate(steps):
            self._step[list(classes)] = number
        self._zero()

    def _zero(self) -> None:
        self.correct, self.total, self.correct_in_task = (
            torch.zeros(self.num_classes, dtype=torch.int64) for _ in range(3)
        )
        self.knows_tasks = False

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Starts from zero."""
        self._zero()

    def after_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts one batch."""
        labels, output = strategy.mb_y.cpu(), strategy.mb_output.detach().cpu()
        elsewhere = self._step[labels].unsqueeze(1) != self._step
        self.total += torch.bincount(labels, minlength=self.num_classes)
        self.correct += self._hits(labels, output)
        in_task = output.masked_fill(elsewhere, -torch.inf)
        self.correct_in_task += self._hits(labels, in_task)
        self.knows_tasks |= bool((in_task != -torch.inf).any())

    def _hits(self, labels: Tensor, output: Tensor) -> Tensor:
        best = output.max(dim=1)
        right = (best.indices == labels) & (best.values != -torch.inf)
        return torch.bincount(labels[right], minlength=self.num_classes)

    def row(self, steps: Sequence[Sequence[int]]) -> list[float | None]:
        """Accuracy on the classes of each step; None where none of its clouds were seen."""
        return [_ratio(self.correct[list(step)], self.total[list(step)]) for step in steps]

    @property
    def accuracy(self) -> float | None:
        """Accuracy over all clouds that were seen."""
        return _ratio(self.correct, self.total)

    @property
    def accuracy_in_task(self) -> float | None:
        """The same where each cloud's step is told; None where no class of these steps can be chosen, too."""
        return _ratio(self.correct_in_task, self.total) if self.knows_tasks else None

    def untrained(self, net: Net, clouds: PointClouds) -> float:
        """See :class:`Recorder`."""
        return accuracy_in_task(net, clouds, clouds.classes)

    def ahead(self) -> float | None:
        """See :class:`Recorder`."""
        return self.accuracy_in_task

    def result(
        self, groups: Sequence[Sequence[int]], ahead: float | None, untrained: float, **others: Any
    ) -> StepResult:
        """See :class:`Recorder`."""
        assert self.accuracy is not None
        assert self.accuracy_in_task is not None
        seen = [label for group in groups[: others["step"] + 1] for label in group]
        by_class = self.row([[label] for label in seen])
        return StepResult(
            accuracy=self.accuracy,
            accuracy_in_task=self.accuracy_in_task,
            ahead=ahead,
            untrained=untrained,
            row=tuple(self.row(groups)),
            class_accuracy={label: a for label, a in zip(seen, by_class, strict=True) if a is not None},
            **others,
        )


def accuracy_in_task(net: Net, clouds: PointClouds, classes: Sequence[int]) -> float:
    """Accuracy of a network in eval mode on clouds of ``classes``, which alone stand to choice."""
    device, chosen = next(net.parameters()).device, torch.tensor(sorted(classes))
    net.eval()
    with torch.no_grad():
        logits = [net(batch.points.to(device)).cpu() for batch in batches([clouds], EVAL_BATCH, None)]
    told = chosen[torch.cat(logits)[:, chosen].argmax(dim=1)]
    return float((told == clouds.labels.cpu()).double().mean())


def _ratio(correct: Tensor, total: Tensor) -> float | None:
    return int(correct.sum()) / int(total.sum()) if int(total.sum()) else None
