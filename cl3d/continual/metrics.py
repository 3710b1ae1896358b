"""Metrics of class-incremental learning, from an accuracy matrix; and the plugin that fills it.

Row i of the matrix is the network after step i, column j the test clouds of step j's classes;
entries of steps that have not come yet are None. Accuracies are in [0, 1].
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.training import batches
from cl3d.models import Backbone

EVAL_BATCH = 64
Matrix = Sequence[Sequence[float | None]]


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


def forgetting_max_minus_last(matrix: Matrix) -> float:
    """Mean over the earlier steps of the best accuracy ever reached on them minus the last one.

    (Chaudhry et al., "Riemannian walk", ECCV 2018.) 0 where there is one step.
    """
    return _mean_drop(matrix, lambda earlier: max(earlier))


def forgetting_first_minus_last(matrix: Matrix) -> float:
    """The same with the accuracy right after the step was learnt, as Avalanche computes it."""
    return _mean_drop(matrix, lambda earlier: earlier[0])


def backward_transfer(matrix: Matrix) -> float:
    """Mean over the earlier steps of the last accuracy minus the one right after they were learnt.

    (Lopez-Paz and Ranzato, "Gradient episodic memory", NeurIPS 2017, eq. 3.) The negative of
    :func:`forgetting_first_minus_last`.
    """
    return 0.0 - forgetting_first_minus_last(matrix)  # 0, not -0, where nothing was transferred


def forward_transfer(ahead: Sequence[float | None], untrained: Sequence[float]) -> float | None:
    """Mean over the later steps of the accuracy on them right before they come, minus an untrained network's.

    (Lopez-Paz and Ranzato, "Gradient episodic memory", NeurIPS 2017, eq. 4: the mean over i > 1 of
    R_(i-1, i) - b_i.) Both accuracies choose among the step's own classes alone: among all, a network that
    has never been told of a class never names it, and nothing could be seen.

    Args:
        ahead: after each step the accuracy on the next one's classes; None after the last of a stream, and
            where none of them can be chosen yet.
        untrained: of each step's classes, before any training.

    Returns:
        In [-1, 1]; None where there is one step, or nothing ahead is known.
    """
    gains = [value - before for value, before in zip(ahead, untrained[1:], strict=False) if value is not None]
    return statistics.fmean(gains) if gains else None


def accuracy_in_task(net: Backbone, clouds: PointClouds, classes: Sequence[int]) -> float:
    """Accuracy of a network in eval mode on clouds of ``classes``, which alone stand to choice."""
    device, chosen = next(net.parameters()).device, torch.tensor(sorted(classes))
    net.eval()
    with torch.no_grad():
        logits = [net(batch.points.to(device)).cpu() for batch in batches([clouds], EVAL_BATCH, None)]
    told = chosen[torch.cat(logits)[:, chosen].argmax(dim=1)]
    return float((told == clouds.labels.cpu()).double().mean())


def _mean_drop(matrix: Matrix, reference: Any) -> float:
    last = len(matrix) - 1
    drops = []
    for step in range(last):
        column = [row[step] for row in matrix[step:]]
        known = [value for value in column if value is not None]
        if len(known) > 1:
            drops.append(reference(known[:-1]) - known[-1])
    return statistics.fmean(drops) if drops else 0.0


def _ratio(correct: Tensor, total: Tensor) -> float | None:
    return int(correct.sum()) / int(total.sum()) if int(total.sum()) else None
