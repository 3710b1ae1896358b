"""Metrics of class-incremental learning, from a matrix of accuracies or of whatever else is in [0, 1].

Row i of the matrix is the network after step i, column j the test clouds of step j's classes;
entries of steps that have not come yet are None.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Matrix = Sequence[Sequence[float | None]]


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


def _mean_drop(matrix: Matrix, reference: Any) -> float:
    last = len(matrix) - 1
    drops = []
    for step in range(last):
        column = [row[step] for row in matrix[step:]]
        known = [value for value in column if value is not None]
        if len(known) > 1:
            drops.append(reference(known[:-1]) - known[-1])
    return statistics.fmean(drops) if drops else 0.0
