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
    """Two rows for each finished step: ``steps``, and ``classes`` with the figure of each class."""
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
    told = dataclasses.replace(results, steps=results.steps[: last + 1]).to_dict()
    step, place = results.steps[last], (("step", last + 1),)
    figures: dict[str, float | None] = {
        "classes_seen": len(step.by_class),
        step.key: step.headline,
        f"average_{step.key}": told[f"average_{step.key}"],
        **{name: told[f"{name}_per_step"][-1] for name in step.beside},
        "forgetting_max_minus_last": told["forgetting"]["max_minus_last"],
        "forgetting_first_minus_last": told["forgetting"]["first_minus_last"],
        "backward_transfer": told["backward_transfer"],
        "forward_transfer": told["forward_transfer"],
        "memory_bytes": step.memory_bytes,
        "memory_clouds": step.memory_clouds,
    }
    figures |= {f"seconds_{name}": value for name, value in step.seconds.items()}
    figures |= {f"peak_bytes_{name}": value for name, value in step.peak_bytes.items()}
    names = enumerate(results.settings["class_names"])
    by_class = {name: step.by_class.get(label) for label, name in names}
    return [Row("steps", place, figures), Row("classes", place, by_class)]
