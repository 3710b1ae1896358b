"""What of a run does not fit together, said before anything is computed."""

from __future__ import annotations

from pathlib import Path

from cl3d.continual.strategies import Strategy
from cl3d.data import Dataset
from cl3d.distill import Training
from cl3d.distill.networks import BuildModel, trial
from cl3d.distill.part_evaluation import check_class_parts, check_parts
from cl3d.distill.views import for_net
from cl3d.errors import InputError
from cl3d.models import SegmentationNet

CLASSIFIERS = ("softmax", "nearest_mean")


def check_memory(classifier: str, joint_condensed: bool, memory_of: Path | None, strategy: Strategy) -> None:
    """Refuses what is asked of a memory where the strategy has none.

    Raises:
        InputError: saying what to give.
    """
    if classifier not in CLASSIFIERS:
        raise InputError(f"classifier={classifier}: give one of {', '.join(CLASSIFIERS)}")
    if strategy.needs_buffer:
        return
    asked = {
        "classifier=nearest_mean": classifier == "nearest_mean",
        "joint_condensed=true": joint_condensed,
        f"memory_of={memory_of}": memory_of is not None,
    }
    for what in [name for name, given in asked.items() if given]:
        raise InputError(
            f"{what}, but strategy={strategy.name} has no memory: give one that has, e.g. strategy=scratch"
        )


def check_segmentation(dataset: Dataset, model: BuildModel, classifier: str, training: Training) -> None:
    """Refuses what networks that segment cannot learn or be tested with.

    Raises:
        InputError: saying what to give.
    """
    if classifier != "softmax":
        raise InputError(
            f"classifier={classifier} tells classes, which networks that segment are told: leave it out"
        )
    if training.mixup is not None:
        raise InputError("mixup mixes classes, of which part segmentation is told: leave mixup out")
    net = trial(model)
    assert isinstance(net, SegmentationNet)
    splits = {"train": dataset.train, "test": dataset.test}
    for split, clouds in splits.items():
        for_net(net, clouds, f"the {split} clouds of {dataset.name}")
    check_class_parts(dataset.class_parts, net.num_parts)
    for split, clouds in splits.items():
        check_parts(clouds, dataset.class_parts, f"the {split} clouds")
