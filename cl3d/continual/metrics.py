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

Matrix = Sequence[Sequence[float | None]]


class AccuracyRecorder(SupervisedPlugin):
    """Counts test clouds, and those classified correctly, class by class, over one ``eval`` call.

    Attributes:
        correct, total: (num_classes,) int64 on the CPU.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.correct = self.total = torch.zeros(num_classes, dtype=torch.int64)

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Starts from zero."""
        self.correct = self.total = torch.zeros(self.num_classes, dtype=torch.int64)

    def after_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts one batch."""
        labels, predicted = strategy.mb_y.cpu(), strategy.mb_output.argmax(dim=1).cpu()
        self.total = self.total + torch.bincount(labels, minlength=self.num_classes)
        hits = labels[predicted == labels]
        self.correct = self.correct + torch.bincount(hits, minlength=self.num_classes)

    def row(self, steps: Sequence[Sequence[int]]) -> list[float | None]:
        """Accuracy on the classes of each step; None where none of its clouds were seen."""
        return [_ratio(self.correct[list(step)], self.total[list(step)]) for step in steps]

    @property
    def accuracy(self) -> float | None:
        """Accuracy over all clouds that were seen."""
        return _ratio(self.correct, self.total)


def forgetting_max_minus_last(matrix: Matrix) -> float:
    """Mean over the earlier steps of the best accuracy ever reached on them minus the last one.

    (Chaudhry et al., "Riemannian walk", ECCV 2018.) 0 where there is one step.
    """
    return _mean_drop(matrix, lambda earlier: max(earlier))


def forgetting_first_minus_last(matrix: Matrix) -> float:
    """The same with the accuracy right after the step was learnt, as Avalanche computes it."""
    return _mean_drop(matrix, lambda earlier: earlier[0])


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
