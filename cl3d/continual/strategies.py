"""The continual strategies with a memory: how a network learns from each step; the bounds are beside them.

Each is a value that compares, prints and stands in a config; :meth:`build` turns it into an Avalanche
strategy of :mod:`cl3d.continual.templates`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from avalanche.training.templates import SupervisedTemplate

from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.replay import CondensedReplay
from cl3d.continual.templates import Continued, FromScratch
from cl3d.distill import Networks, Training
from cl3d.errors import InputError, check_range, check_whole
from cl3d.progress import Progress
from cl3d.random import fold


@dataclass(frozen=True)
class Held:
    """What a memory holds around a step: for forecasts.

    Attributes:
        before, after: decoded clouds when the step begins, and with those of its classes.
        each: what one of them costs a network, as a part of a real cloud.
    """

    before: int = 0
    after: int = 0
    each: float = 1.0


class Strategy(Protocol):
    """How a network learns a stream."""

    name: ClassVar[str]
    needs_buffer: ClassVar[bool]
    one_step: ClassVar[bool]
    """Whether the stream is one step of all classes, whatever number of steps is asked for."""
    training: Training

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """What a step costs, in real clouds sent forward and backward: for forecasts only.

        Args:
            clouds: of the step's data.
            seen: of all steps' data so far.
            memory: nothing where the strategy has none.
        """

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """The Avalanche strategy; ``networks`` draws its initial weights."""


@dataclass(frozen=True)
class Scratch:
    """A fresh network on the memory alone, at each step (PCC, section 6.6)."""

    training: Training
    name: ClassVar[str] = "scratch"
    needs_buffer: ClassVar[bool] = True
    one_step: ClassVar[bool] = False

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """See :class:`Strategy`."""
        return self.training.epochs * memory.after * memory.each

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return FromScratch(
            networks=networks, training=self.training, buffer=buffer, seed=seed, progress=progress
        )


@dataclass(frozen=True)
class Rehearse:
    """One network goes on learning: the step's data and, at each iteration, a batch of the memory.

    Attributes:
        memory_batch: clouds from the memory per iteration.
        memory_weight: weight of the memory's mean loss.
    """

    training: Training
    memory_batch: int = 32
    memory_weight: float = 1.0
    name: ClassVar[str] = "rehearse"
    needs_buffer: ClassVar[bool] = True
    one_step: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_whole("memory_batch", self.memory_batch, 1)
        check_range("memory_weight", self.memory_weight, 0, float("inf"))
        check_constant(self.training)

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """See :class:`Strategy`."""
        batches = math.ceil(clouds / self.training.batch_size)
        rehearsed = batches * min(self.memory_batch, memory.before) * memory.each
        return self.training.epochs * (clouds + rehearsed)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        assert buffer is not None
        augmentation = self.training.augmentation
        replay = CondensedReplay(
            buffer, self.memory_batch, self.memory_weight, augmentation, fold(seed, "replay")
        )
        return Continued(
            networks=networks, training=self.training, plugins=[replay], seed=seed, progress=progress
        )


@dataclass(frozen=True)
class Online(Rehearse):
    """Rehearsal in one pass: each of the step's clouds is learnt from once.

    The network sees the stream online; the step's clouds are held until they are condensed.
    """

    name: ClassVar[str] = "online"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.training.epochs != 1:
            raise InputError(
                f"strategy=online with {self.training.epochs} epochs: give 1, or strategy=rehearse"
            )


def check_constant(training: Training) -> None:
    """Refuses what a network that goes on learning cannot be trained with."""
    if training.schedule != "constant":
        raise InputError(f"schedule={training.schedule!r}: a network that goes on learning takes 'constant'")
    if training.mixup is not None or training.leftovers:
        raise InputError("mixup and leftovers are for networks trained from scratch: give strategy=scratch")
