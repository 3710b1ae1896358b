"""What a finished step gives: costs that all have, and the scores of networks that classify."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from cl3d.continual.metrics import (
    backward_transfer,
    forgetting_first_minus_last,
    forgetting_max_minus_last,
    forward_transfer,
)

Row = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One finished step.

    Attributes:
        step: from 0.
        classes: the step's classes, as labels of the data set.
        memory_bytes, memory_clouds: what the memory holds after the step.
        memory_files: the names of the files that are the memory after the step.
        condensing: the condenser's own account (loss, how far points moved), or nothing.
        seconds: wall-clock seconds of ``condense``, ``train`` and ``test``.
        peak_bytes: highest memory of the same; see :class:`PeakMemory`.
        figure: what is looked at first, and ``key``: the same in names of files and keys.
        beside: other figures of the same clouds, as ``results.json`` names them (``<name>_per_step``).
    """

    step: int
    classes: tuple[int, ...]
    memory_bytes: int
    memory_clouds: int
    memory_files: tuple[str, ...]
    condensing: dict[str, Any]
    seconds: dict[str, float]
    peak_bytes: dict[str, int]
    figure: ClassVar[str]
    key: ClassVar[str]
    beside: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def headline(self) -> float:
        """What is looked at first, over the test clouds of all classes seen so far, in [0, 1]."""

    @property
    @abstractmethod
    def headline_row(self) -> Row:
        """The same over the test clouds of each step's classes; None for steps that have not come."""

    @property
    @abstractmethod
    def by_class(self) -> dict[int, float]:
        """The figure of each class seen so far, by label."""

    @property
    def seen(self) -> list[int]:
        """The classes seen so far."""
        return list(self.by_class)

    @classmethod
    @abstractmethod
    def summary(cls, steps: Sequence[Self]) -> dict[str, Any]:
        """What ``results.json`` tells of the scores of a run's steps."""

    @classmethod
    @abstractmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The inverse of :func:`dataclasses.asdict`, from JSON."""


@dataclass(frozen=True, kw_only=True)
class StepResult(Step):
    """A step of networks that classify.

    Attributes:
        accuracy: on the test clouds of all classes seen so far, in [0, 1].
        accuracy_in_task: the same where each cloud's step is told, and only its classes stand to choice.
        ahead: on the test clouds of the next step, of whose classes nothing is known yet, these alone
            standing to choice; None after the last step.
        untrained: the same of an untrained network, on this step's test clouds.
        row: the step's row of the accuracy matrix; None for steps that have not come.
        class_accuracy: accuracy on each class seen so far, by label.
    """

    accuracy: float
    accuracy_in_task: float
    ahead: float | None
    untrained: float
    row: Row
    class_accuracy: dict[int, float]
    figure: ClassVar[str] = "accuracy"
    key: ClassVar[str] = "accuracy"
    beside: ClassVar[tuple[str, ...]] = ("task_incremental_accuracy",)

    @property
    def headline(self) -> float:
        """See :class:`Step`."""
        return self.accuracy

    @property
    def headline_row(self) -> Row:
        """See :class:`Step`."""
        return self.row

    @property
    def by_class(self) -> dict[int, float]:
        """See :class:`Step`."""
        return self.class_accuracy

    @classmethod
    def summary(cls, steps: Sequence[Self]) -> dict[str, Any]:
        """See :class:`Step`; ``docs/results-schema.md`` describes each key."""
        accuracy, matrix = [step.accuracy for step in steps], [step.row for step in steps]
        ahead, untrained = [step.ahead for step in steps], [step.untrained for step in steps]
        return {
            **ends("accuracy", accuracy),
            "accuracy_per_step": accuracy,
            "task_incremental_accuracy_per_step": [step.accuracy_in_task for step in steps],
            "accuracy_matrix": matrix,
            "class_accuracy_per_step": [step.class_accuracy for step in steps],
            **changes(matrix, ahead, untrained),
            "next_step_accuracy_per_step": ahead,
            "untrained_accuracy_per_step": untrained,
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """See :class:`Step`."""
        tuples = {name: tuple(facts[name]) for name in ("classes", "row", "memory_files")}
        return cls(**{**facts, **tuples, "class_accuracy": by_label(facts["class_accuracy"])})


def ends(name: str, values: Sequence[float]) -> dict[str, float | None]:
    """The last value and the mean over the steps, under names that say of what; None of no step."""
    return {
        f"final_{name}": values[-1] if values else None,
        f"average_{name}": statistics.fmean(values) if values else None,
    }


def changes(
    matrix: Sequence[Row], ahead: Sequence[float | None], untrained: Sequence[float]
) -> dict[str, Any]:
    """Forgetting and transfer; see :mod:`cl3d.continual.metrics`."""
    return {
        "forgetting": {
            "max_minus_last": forgetting_max_minus_last(matrix),
            "first_minus_last": forgetting_first_minus_last(matrix),
        },
        "backward_transfer": backward_transfer(matrix),
        "forward_transfer": forward_transfer(ahead, untrained),
    }


def by_label(facts: Mapping[str, float]) -> dict[int, float]:
    """Values by label: JSON knows no whole numbers as keys."""
    return {int(label): value for label, value in facts.items()}
