"""What a finished step gives where networks segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from cl3d.continual.steps import Row, Step, by_label, changes, ends

FIGURES = ("instance_miou", "class_miou", "accuracy")


@dataclass(frozen=True)
class Scored:
    """One figure after a step; all in [0, 1]. Of each point a part of its shape's own class is taken.

    Attributes:
        value: over the test shapes of all classes seen so far.
        row: over those of each step's classes; None for steps that have not come.
        ahead: over those of the next step, of whose parts nothing is known yet; None after the last.
        untrained: of an untrained network, over this step's test shapes.
    """

    value: float
    row: Row
    ahead: float | None
    untrained: float


@dataclass(frozen=True, kw_only=True)
class PartStepResult(Step):
    """A step of networks that segment, by the convention of ShapeNetPart.

    Attributes:
        instance_miou, class_miou: see :class:`~cl3d.distill.part_evaluation.PartScore`.
        accuracy: share of all points whose part is right.
        seen_parts_instance_miou: instance mIoU where the parts of all classes seen so far stand to choice.
        class_iou: mean IoU of each class seen so far, by label.
    """

    instance_miou: Scored
    class_miou: Scored
    accuracy: Scored
    seen_parts_instance_miou: float
    class_iou: dict[int, float]
    figure: ClassVar[str] = "instance mIoU"
    key: ClassVar[str] = "instance_miou"
    beside: ClassVar[tuple[str, ...]] = ("class_miou", "accuracy", "seen_parts_instance_miou")

    @property
    def headline(self) -> float:
        """See :class:`Step`."""
        return self.instance_miou.value

    @property
    def headline_row(self) -> Row:
        """See :class:`Step`."""
        return self.instance_miou.row

    @property
    def by_class(self) -> dict[int, float]:
        """See :class:`Step`."""
        return self.class_iou

    @classmethod
    def summary(cls, steps: Sequence[Self]) -> dict[str, Any]:
        """See :class:`Step`; ``docs/results-schema.md`` describes each key."""
        told: dict[str, Any] = {}
        for name in FIGURES:
            scored: list[Scored] = [getattr(step, name) for step in steps]
            values, matrix = [one.value for one in scored], [one.row for one in scored]
            ahead, untrained = [one.ahead for one in scored], [one.untrained for one in scored]
            change = changes(matrix, ahead, untrained)
            told |= {
                **ends(name, values),
                f"{name}_per_step": values,
                f"{name}_matrix": matrix,
                # those of what is looked at first have the names that they have of accuracies
                **(change if name == cls.key else {f"{name}_{key}": value for key, value in change.items()}),
                f"next_step_{name}_per_step": ahead,
                f"untrained_{name}_per_step": untrained,
            }
        return told | {
            "seen_parts_instance_miou_per_step": [step.seen_parts_instance_miou for step in steps],
            "class_iou_per_step": [step.class_iou for step in steps],
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """See :class:`Step`."""
        scored = {name: Scored(**(facts[name] | {"row": tuple(facts[name]["row"])})) for name in FIGURES}
        tuples = {name: tuple(facts[name]) for name in ("classes", "memory_files")}
        return cls(**{**facts, **tuples, **scored, "class_iou": by_label(facts["class_iou"])})
