"""What a run says of itself: in its results, and for a state of other settings to be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cl3d.distill.networks import model_name
from cl3d.numerics import computed_on

if TYPE_CHECKING:
    from cl3d.continual.run import ContinualRun


def settings_of(run: ContinualRun) -> dict[str, Any]:
    """All that was asked for, as JSON values."""
    data, remembers = run.dataset, run.strategy.needs_buffer
    return {
        "dataset": data.name,
        "data_fingerprint": data.fingerprint(),
        "num_points": data.train.num_points,
        "model": model_name(run.model),
        "strategy": run.strategy.name,
        "strategy_settings": repr(run.strategy),
        "buffer": run.condenser.name if run.condenser and remembers else None,
        "buffer_settings": repr(run.condenser) if remembers else None,
        "budget": str(run.budget) if remembers else None,
        "leaks": run.joint_condensed,
        "classifier": run.classifier,
        "class_order": run.order,
        "classes_per_step": run.classes_per_step,
        "classes_per_task": run.classes_per_task,
        "class_names": list(data.class_names),
        "seed": run.seed,
        "order_seed": run.own_order_seed,
        "device": computed_on(run.device),
        **(_of_segmentation(run) if run.segments else {}),
    }


def _of_segmentation(run: ContinualRun) -> dict[str, Any]:
    """What there is to say besides, where networks segment."""
    return {
        "task": "part_segmentation",
        "part_names": list(run.dataset.part_names),
        "parts_fingerprint": run.dataset.parts_fingerprint(),
    }
