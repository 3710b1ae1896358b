"""CondensedBuffer: a replay memory of distilled clouds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.benchmarks.utils.classification_dataset import _make_taskaware_classification_dataset
from avalanche.training.storage_policy import ExemplarsBuffer

from cl3d.clouds import PointClouds, concatenate, normalize
from cl3d.continual.benchmark import CloudDataset, experience_clouds
from cl3d.continual.recalled import Recalled
from cl3d.distill import Budget, Reservoir, SyntheticSet
from cl3d.distill.condenser import Condenser
from cl3d.distill.networks import BuildModel
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.progress import Progress, silent
from cl3d.random import fold

Condense = Condenser | Callable[..., SyntheticSet]
"""A condenser, or anything that is called like one."""


class CondensedBuffer(ExemplarsBuffer):
    """Avalanche's exemplar buffer, holding one synthetic set for each experience seen.

    Each experience is condensed from its own data alone, when :meth:`post_adapt` is called. Under a
    ``total`` the sets of earlier experiences shrink before that, each from what it holds itself, so that
    the memory and the set that is being made never exceed the total together. What a computation holds
    meanwhile (gradients, decoded clouds, the set that a smaller one is fitted to) is not memory.

    Args:
        condenser: e.g. ``cl3d.distill.presets.pcc()``.
        budget: for each class; or for the whole memory: of ``nbytes`` each experience may use the part of
            its classes, a ``total`` is shared by the classes seen so far.
        model: builds the networks that the condenser looks through.
        total_classes: of the whole stream; needed with a budget in ``nbytes``.
        seed: the same seed gives the same memory; step i's key is its position in the stream.

    Raises:
        InputError: if the condenser's objective cannot look through the model, or the condenser is a
            reservoir, which is one set for the whole stream: :class:`~cl3d.continual.ReservoirBuffer`.

    Attributes:
        sets: what each experience left, in order, each exactly as its file would give it back.
        checkpoint: handed to the condenser, where it is a path; see :meth:`Condenser.__call__`.
        on_condensed: called with each step and its set as the condenser gave it, with what it started from,
            which the memory does not keep.
    """

    def __init__(
        self,
        condenser: Condense,
        budget: Budget,
        model: BuildModel = PointNet,
        *,
        total_classes: int | None = None,
        seed: int = 0,
        device: str | torch.device = "cpu",
        progress: Progress = silent,
    ) -> None:
        super().__init__(max_size=0)
        self._check(condenser, budget)
        if isinstance(condenser, Condenser):
            condenser.check_model(model)
        self.condenser, self.budget, self.model = condenser, budget, model
        self.total_classes, self.seed, self.device = total_classes, seed, device
        self.progress = progress
        self.checkpoint: Path | None = None
        self.on_condensed: Callable[[int, SyntheticSet], None] = lambda step, synthetic: None
        self.sets: list[SyntheticSet] = []
        self._classes_seen = 0
        self._decoded: AvalancheDataset | None = None

    def _check(self, condenser: Condense, budget: Budget) -> None:
        if isinstance(condenser, Reservoir):
            raise InputError(
                f"{condenser.name} goes along the whole stream, and this buffer condenses each step by "
                "itself: give ReservoirBuffer"
            )

    def post_adapt(self, agent_state: Any, exp: Any) -> None:
        """Condenses the experience and adds what comes out to the memory."""
        self.add(experience_clouds(exp), exp.current_experience)

    def add(self, clouds: PointClouds, step: int) -> None:
        """Condenses the clouds of a step of new classes, and adds what comes out to the memory.

        Args:
            step: its position in the stream, which keys the draws.
        """
        budget = self._make_room(len(clouds.classes), clouds.num_points)
        settings: dict[str, Any] = {} if self.checkpoint is None else {"checkpoint": self.checkpoint}
        synthetic = self.condenser(
            clouds,
            budget=budget,
            model=self.model,
            seed=fold(self.seed, "condense", step),
            device=self.device,
            progress=self.progress,
            **settings,
        )
        self.on_condensed(step, synthetic)
        self.sets.append(synthetic.as_stored())
        self._classes_seen += len(clouds.classes)
        self._changed()

    def _make_room(self, classes: int, num_points: int) -> Budget:
        """Shrinks the sets to what they are left with when so many classes come; the budget of these."""
        before, seen = self._classes_seen, self._classes_seen + classes
        if self.budget.total is not None:
            # refused before a set has lost anything
            tells = self.condenser if isinstance(self.condenser, Condenser | Recalled) else None
            least = 1 if tells is None else tells.least_bytes(num_points)
            shares = iter(self.budget.shares([1] * seen, num_points, least))
            for place, synthetic in enumerate(self.sets):
                mine = dict(zip(synthetic.clouds_per_class, shares, strict=False))
                smaller = synthetic.to(self.device).shrink(mine, fold(self.seed, "shrink", place, seen)).cpu()
                if smaller is not synthetic:
                    self.sets[place] = smaller.as_stored()
            self._changed()
        return self.budget.part(before, classes, self.total_classes, num_points)

    def restore(self, sets: Sequence[SyntheticSet]) -> None:
        """The memory as it was when it held these sets."""
        self.sets = list(sets)
        self._classes_seen = sum(len(synthetic.clouds_per_class) for synthetic in sets)
        self._changed()

    def resize(self, strategy: Any, new_size: int) -> None:
        """Shrinks the memory to at most ``new_size`` decoded clouds, equally many of each class."""
        if self._classes_seen:
            self.sets = [synthetic.prune(new_size // self._classes_seen) for synthetic in self.sets]
        self._changed()

    def clouds(self, generator: torch.Generator | None = None) -> list[PointClouds]:
        """The decoded memory, normalised: one entry for each number of points."""
        with torch.no_grad():
            decoded = [synthetic.decode(generator) for synthetic in self.sets if len(synthetic)]
        sizes = dict.fromkeys(clouds.num_points for clouds in decoded)
        groups = [concatenate([c for c in decoded if c.num_points == size]) for size in sizes]
        return [group.with_points(normalize(group.points.detach())) for group in groups]

    @property
    def nbytes(self) -> int:
        """Exactly the bytes that the memory holds."""
        return sum(synthetic.nbytes for synthetic in self.sets)

    @property
    def buffer(self) -> AvalancheDataset:
        """The decoded clouds as an Avalanche data set, for strategies that read it themselves."""
        if self._decoded is None:
            parts = [
                # items with a task label, as experiences have: replay loaders mix the two
                _make_taskaware_classification_dataset(CloudDataset(clouds), task_labels=0)
                for clouds in self.clouds()
            ]
            self._decoded = reduce(lambda a, b: a.concat(b), parts) if parts else self._buffer
        return self._decoded

    def _changed(self) -> None:
        self._decoded = None
        self.max_size = sum(len(synthetic) for synthetic in self.sets)
