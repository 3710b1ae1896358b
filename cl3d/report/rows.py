"""What the scripts' loggers are told when a step, a set or an evaluation is there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cl3d.data import Dataset
from cl3d.distill import Evaluation, SyntheticSet
from cl3d.loggers import Row

if TYPE_CHECKING:  # importing avalanche takes seconds
    from cl3d.continual import Results


def of_steps(results: Results) -> list[Row]:
    """Two rows for each finished step: ``steps``, and ``classes`` with the accuracy of each class."""
    return [row for last in range(len(results.steps)) for row in _of_step(results, last)]


def of_set(synthetic: SyntheticSet, cost: dict[str, Any]) -> list[Row]:
    """What a set is, and what it cost."""
    figures = {name: value for name, value in synthetic.info.items() if isinstance(value, int | float)}
    costs = {"nbytes": synthetic.nbytes, "seconds": cost["seconds"], "peak_bytes": cost["peak_bytes"]}
    return [Row("set", (), figures | costs)]


def of_evaluation(evaluation: Evaluation, dataset: Dataset) -> list[Row]:
    """The figure over all networks, and that of each class."""
    by_class = {name: evaluation.per_class.get(label) for label, name in enumerate(dataset.class_names)}
    return [
        Row("evaluation", (), {"mean": evaluation.mean, "std": evaluation.std}),
        Row("classes", (), by_class),
    ]


def _of_step(results: Results, last: int) -> list[Row]:
    so_far = dataclasses.replace(results, steps=results.steps[: last + 1]).to_dict()
    step, place = results.steps[last], (("step", last + 1),)
    figures: dict[str, float | None] = {
        "classes_seen": len(step.class_accuracy),
        "accuracy": step.accuracy,
        "average_accuracy": so_far["average_accuracy"],
        "accuracy_in_task": step.accuracy_in_task,
        "forgetting_max_minus_last": so_far["forgetting"]["max_minus_last"],
        "forgetting_first_minus_last": so_far["forgetting"]["first_minus_last"],
        "backward_transfer": so_far["backward_transfer"],
        "forward_transfer": so_far["forward_transfer"],
        "memory_bytes": step.memory_bytes,
        "memory_clouds": step.memory_clouds,
    }
    figures |= {f"seconds_{name}": value for name, value in step.seconds.items()}
    figures |= {f"peak_bytes_{name}": value for name, value in step.peak_bytes.items()}
    names = enumerate(results.settings["class_names"])
    by_class = {name: step.class_accuracy.get(label) for label, name in names}
    return [Row("steps", place, figures), Row("classes", place, by_class)]
