"""A control that leaks: all classes condensed together before the stream begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from cl3d.clouds import PointClouds
from cl3d.distill import AnchorSet, Budget, Generator, PointSet, Reservoir, ShapeModel, SyntheticSet
from cl3d.distill.condenser import Condenser
from cl3d.errors import InputError

CANNOT = "share its bytes and cannot be parted: give a buffer of points or anchors"


class JointCondensed:
    """Gives each step its classes' part of one set, condensed from the whole data at once.

    So did the public script of PCC: it condensed all classes beforehand, through networks trained on all of
    them, and a stream then met its memory step by step. **The memory of a step knows of the steps to come**:
    what is reached so cannot be compared with what condenses each step from its own data. It serves to show
    how much that is worth.

    Args:
        condenser: condenses the whole data once, when the first step asks.
        whole: the training clouds of all steps.
        budget: of the whole memory.
        seed: of the condensation.

    Raises:
        InputError: if the condenser makes what cannot be parted by class.
    """

    def __init__(self, condenser: Condenser, whole: PointClouds, budget: Budget, seed: int) -> None:
        if isinstance(condenser.parameterization, Generator | ShapeModel) or isinstance(condenser, Reservoir):
            raise InputError(f"joint_condensed: the classes of buffer={condenser.name} {CANNOT}")
        self.condenser, self.whole, self.budget, self.seed = condenser, whole, budget, seed
        self._everything: SyntheticSet | None = None

    def __call__(
        self, clouds: PointClouds, *, checkpoint: Path | None = None, **settings: Any
    ) -> SyntheticSet:
        """The part of the classes of ``clouds``, which are not looked at further.

        Args:
            checkpoint: of this step's condensation; beside it the joint one keeps its own, which the end of a
                step does not remove.

        Raises:
            InputError: if the condenser's sets cannot be parted by class.
        """
        if self._everything is None:
            settings |= {"budget": self.budget, "seed": self.seed}
            if checkpoint is not None:
                settings["checkpoint"] = checkpoint.with_name("condensing_jointly.safetensors")
            made = self.condenser(self.whole, **settings)
            self._everything = made.as_stored()
            self._everything.initial = made.initial
        return part_of(self._everything, clouds.classes)


def part_of(synthetic: SyntheticSet, classes: list[int]) -> SyntheticSet:
    """The clouds of some classes as a set of their own.

    Raises:
        InputError: if they share what is stored with others, as a generator's do.
    """
    rows = torch.isin(synthetic.labels, torch.tensor(classes))
    tensors, config = synthetic.stored(), synthetic.config()
    if isinstance(synthetic, PointSet):
        kept = rows
    elif isinstance(synthetic, AnchorSet):
        kept = rows[:: len(synthetic) // len(tensors["anchors"])]
    else:
        raise InputError(f"joint_condensed: the classes of a {type(synthetic).__name__} {CANNOT}")
    if "parts" in config:
        config["parts"] = [runs for runs, mine in zip(config["parts"], kept.tolist(), strict=True) if mine]
    tensors = {name: tensor[kept] for name, tensor in tensors.items()}
    part = synthetic.rebuild(tensors, synthetic.labels[rows], config)
    part.info = dict(synthetic.info)
    part.initial = None if synthetic.initial is None else synthetic.initial.of_classes(classes)
    return part
