"""A whole class-incremental run: what defines it, and how it starts or goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from cl3d import __version__
from cl3d.continual.benchmark import check_classes, check_order, class_order, split_classes
from cl3d.continual.plan import MemoryPlan
from cl3d.continual.results import Results
from cl3d.continual.run_checks import check_memory, check_segmentation
from cl3d.continual.run_parts import condense_of, put_together
from cl3d.continual.run_settings import settings_of
from cl3d.continual.state import RunStates, finished_steps
from cl3d.continual.strategies import Strategy
from cl3d.data import Dataset
from cl3d.distill import Budget
from cl3d.distill.condenser import Condenser
from cl3d.distill.networks import BuildModel, model_name, trial
from cl3d.distributed import by_main
from cl3d.errors import InputError
from cl3d.locks import locked
from cl3d.models import SegmentationNet
from cl3d.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class ContinualRun:
    """Everything that defines a run; :meth:`start` runs it.

    The initial weights of each step and the order of training clouds hang on ``seed`` alone, and the class
    order, unless it is given, on ``order_seed``; nothing of these hangs on the condenser: two buffers run
    with the same seeds are a paired comparison.

    Where ``model`` builds networks that segment, these are told the classes of clouds and learn the parts of
    points, which the data set and the memory have; results are then by the convention of ShapeNetPart.

    Attributes:
        strategy: one of :mod:`cl3d.continual.strategies`.
        condenser: fills the memory; None for strategies without one.
        budget: of the memory.
        steps: how many steps the classes come in.
        seed: weights and draws.
        order_seed: draws the class order; None takes ``seed``.
        given_order: the classes in the order in which they come; None draws it.
        classifier: what decides on test clouds: ``softmax``, the network's head, or ``nearest_mean``, the
            nearest mean feature of the memory's clouds (:class:`NearestMeanEvaluation`).
        memory_of: the folder of a finished run that differs in its strategy alone: its sets are taken instead
            of condensing the same again (:class:`Recalled`), and what they cost there is told here.
        joint_condensed: **leaks**: condenses all classes together beforehand (:class:`JointCondensed`).

    Raises:
        InputError: if the parts do not fit together, before anything is computed.
    """

    dataset: Dataset
    model: BuildModel
    strategy: Strategy
    condenser: Condenser | None
    budget: Budget
    steps: int
    seed: int = 0
    order_seed: int | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    given_order: Sequence[int] | None = None
    classifier: str = "softmax"
    joint_condensed: bool = False
    memory_of: Path | None = None

    def __post_init__(self) -> None:
        split_classes(self.dataset.num_classes, self.steps)  # refuses impossible steps
        check_order(self.order, self.dataset.num_classes)
        check_classes(self.dataset)
        check_memory(self.classifier, self.joint_condensed, self.memory_of, self.strategy)
        if self.segments:
            check_segmentation(self.dataset, self.model, self.classifier, self.strategy.training)
        if not self.strategy.needs_buffer:
            return
        if self.condenser is None:
            raise InputError(f"strategy={self.strategy.name} needs a memory: give a buffer, e.g. buffer=pcc")
        self.condenser.check_model(self.model)
        self.plan().steps()  # refuses budgets below one cloud per class, and what does not fit them
        condense_of(self)  # refuses what cannot be condensed jointly, and a memory_of that does not fit
        self.plan().clouds()  # refuses a total to which a set could not shrink

    @cached_property
    def segments(self) -> bool:
        """Whether networks tell the part of each point, and not the class of each cloud."""
        return isinstance(trial(self.model), SegmentationNet)

    @property
    def order(self) -> list[int]:
        """The classes in the order in which they come."""
        if self.given_order is not None:
            return list(self.given_order)
        return class_order(self.dataset.num_classes, self.own_order_seed)

    @property
    def own_order_seed(self) -> int:
        """What draws the class order, unless it is given."""
        return self.seed if self.order_seed is None else self.order_seed

    @property
    def classes_per_step(self) -> list[int]:
        """How many classes each step brings."""
        return split_classes(self.dataset.num_classes, 1 if self.strategy.one_step else self.steps)

    @property
    def classes_per_task(self) -> list[int]:
        """How many classes each task of task-incremental evaluation has: the stream's steps.

        Where all classes come at once they are those that ``steps`` asks for, so that an upper bound is told
        as much as what it bounds.
        """
        return split_classes(self.dataset.num_classes, self.steps)

    def plan(self) -> MemoryPlan:
        """What the memory will hold; the run needs one."""
        assert self.condenser is not None
        train = self.dataset.train
        counts = torch.bincount(train.labels, minlength=self.dataset.num_classes).tolist()
        return MemoryPlan(
            condenser=self.condenser,
            budget=self.budget,
            num_points=train.num_points,
            there={label: counts[label] for label in self.order},
            classes_per_step=self.classes_per_step,
            parts=self.segments,
            joint=self.joint_condensed,
        )

    @property
    def resumable(self) -> bool:
        """Whether the model has a name: what another model left must not be gone on with."""
        return "<" not in model_name(self.model)

    def settings(self) -> dict[str, Any]:
        """What was run, as JSON values."""
        return settings_of(self)

    def start(
        self,
        folder: Path,
        progress: Progress = silent,
        on_step: Callable[[Results], None] = lambda results: None,
        on_start: Callable[[], None] = lambda: None,
        keep_initial: bool = False,
    ) -> Results:
        """Runs all steps; after each one ``folder`` holds everything that is finished.

        Writes ``results.json``, ``seconds.json``, ``peak_memory.json``, a matrix as ``.csv``, the latest
        states and the sets of the memory (see :class:`MemoryFiles`). Where the folder holds a run with the
        same settings that was killed, at whatever moment, it goes on, to the same files as without a break
        (seconds and peak memory aside). Runs whose model has no name, such as a lambda, begin anew.

        Args:
            on_step: called with the results so far, when a step is finished now.
            on_start: called when the folder is this process's and fits the run.
            keep_initial: also keep what each set started from, in ``initial/``: for pictures alone.

        Raises:
            InputError: if the folder cannot be written to, holds a run of other settings, or is in use.
            KeyboardInterrupt: like any error passed on, the results being marked as interrupted or failed.
        """
        with locked(folder):
            settings = self.settings()
            states = RunStates(folder, settings | {"cl3d_version": __version__})
            state = by_main(states.read) if self.resumable else None
            results = Results(settings, [] if state is None else finished_steps(state, settings))
            try:
                results.write(folder)
                on_start()
                planned, done = len(self.classes_per_step), len(results.steps)
                with progress("steps", planned, done, each="step") as advance:
                    for step in put_together(self, progress, keep_initial).run(results, states, state):
                        results.write(folder)
                        on_step(results)
                        advance(f"{100 * step.headline:.1f} % on classes seen")
            except BaseException as error:
                results.status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
                with contextlib.suppress(InputError):  # the first error is the one to hear of
                    results.write(folder)
                raise
            results.status = "finished"
            results.write(folder)
        return results
