"""The recorder of networks that segment: how well parts overlap, by the convention of ShapeNetPart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avalanche.training.plugins import SupervisedPlugin

from cl3d.clouds import PointClouds
from cl3d.continual.part_steps import PartStepResult, Scored
from cl3d.continual.segmenting import batch_of
from cl3d.distill.part_evaluation import PartCounts, PartScore, PartTest
from cl3d.models import Net
from cl3d.ops.part_iou import ClassParts


class PartRecorder(SupervisedPlugin):
    """Compares predicted with true parts over one ``eval`` call.

    Args:
        class_parts: the parts of each class, by its label.

    Attributes:
        told: where of each point a part of its shape's own class is taken, the class being told.
        among_seen: the same shapes, where the parts of all classes in the stream that is tested stand to
            choice; the network is still told the class.
    """

    def __init__(self, class_parts: ClassParts) -> None:
        super().__init__()
        self.class_parts = class_parts
        self._zero([])

    def _zero(self, seen: Sequence[int]) -> None:
        candidates = sorted({part for label in seen for part in self.class_parts[label]})
        self.told = PartCounts(self.class_parts)
        self.among_seen = PartCounts(self.class_parts, [candidates] * len(self.class_parts))

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Starts from zero."""
        stream = strategy.current_eval_stream
        self._zero([label for experience in stream for label in experience.classes_in_this_experience])

    def after_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts one batch."""
        shapes, output = batch_of(strategy), strategy.mb_output.detach()
        self.told.add(output, shapes)
        self.among_seen.add(output, shapes)

    def row(self, name: str, groups: Sequence[Sequence[int]]) -> tuple[float | None, ...]:
        """A figure on the classes of each step; None where none of its shapes were seen."""
        scores = [self.told.score(group) for group in groups]
        return tuple(None if score is None else float(getattr(score, name)) for score in scores)

    def untrained(self, net: Net, clouds: PointClouds) -> PartScore:
        """See ``cl3d.continual.recorder.Recorder``."""
        return PartTest(clouds, self.class_parts)(net)

    def ahead(self) -> PartScore | None:
        """See ``cl3d.continual.recorder.Recorder``."""
        return self.told.score()

    def result(
        self, groups: Sequence[Sequence[int]], ahead: PartScore | None, untrained: PartScore, **others: Any
    ) -> PartStepResult:
        """See ``cl3d.continual.recorder.Recorder``."""
        told, among_seen = self.told.score(), self.among_seen.score()
        assert told is not None
        assert among_seen is not None

        def scored(name: str) -> Scored:
            later = None if ahead is None else getattr(ahead, name)
            return Scored(getattr(told, name), self.row(name, groups), later, getattr(untrained, name))

        seen = [label for group in groups[: others["step"] + 1] for label in group]
        return PartStepResult(
            instance_miou=scored("instance_miou"),
            class_miou=scored("class_miou"),
            accuracy=scored("accuracy"),
            seen_parts_instance_miou=among_seen.instance_miou,
            class_iou={label: told.per_class[label] for label in seen},
            **others,
        )
