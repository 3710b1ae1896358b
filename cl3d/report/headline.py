"""What runs, sets and networks are judged by: accuracy, or instance mIoU where networks segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cl3d.report.groups import Run

Matrix = Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class Headline:
    """The figure of a run that is looked at first; fractions in [0, 1].

    Attributes:
        name: what it is called.
        key: what it is called in ``results.json``.
        final, average: after the last step, and the mean over the steps; None where none is finished.
        per_step: after each step, on all classes seen.
        matrix: row i after step i, column j on the classes of step j; None where they have not come. Empty,
            as ``by_class``, where results lack it.
        class_name: what the values of each class are called.
        by_class: these values after each step, by label.
    """

    name: str
    key: str
    final: float | None
    average: float | None
    per_step: Sequence[float]
    matrix: Matrix
    class_name: str
    by_class: Sequence[dict[str, float]]

    @property
    def title(self) -> str:
        """The name, to begin a heading with."""
        return self.name[0].upper() + self.name[1:]


def headline(run: Run) -> Headline:
    """That of a run's results.

    Raises:
        KeyError: if they lack its values after each step.
    """
    name, key, class_name, by_class = _names(run)
    return Headline(
        name,
        key,
        run.get(f"final_{key}"),
        run.get(f"average_{key}"),
        run[f"{key}_per_step"],
        run.get(f"{key}_matrix") or (),
        class_name,
        run.get(f"{by_class}_per_step") or (),
    )


def measured(told: Mapping[str, Any]) -> tuple[str, str]:
    """What an evaluation, or a row of a table of them, is judged by: its name, and its key or column."""
    return ("instance mIoU", "instance_miou") if "instance_miou" in told else ("accuracy", "accuracy")


def figure_name(run: Run) -> str:
    """What the figure of a run is called that is looked at first."""
    return _names(run)[0]


def _names(run: dict[str, Any]) -> tuple[str, str, str, str]:
    """What it is called and where it stands; the same of the values of each class."""
    if run["settings"].get("task") == "part_segmentation":
        return "instance mIoU", "instance_miou", "mean IoU", "class_iou"
    return "accuracy", "accuracy", "accuracy", "class_accuracy"
