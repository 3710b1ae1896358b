"""The strategies without a memory: what runs with one are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from avalanche.training.templates import SupervisedTemplate

from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.strategies import Held, check_constant
from cl3d.continual.templates import Continued, FromScratch
from cl3d.distill import Networks, Training
from cl3d.progress import Progress


@dataclass(frozen=True)
class Naive:
    """One network goes on learning from each step's data, without a memory: the lower bound."""

    training: Training
    name: ClassVar[str] = "naive"
    needs_buffer: ClassVar[bool] = False
    one_step: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_constant(self.training)

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * clouds)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return Continued(networks=networks, training=self.training, plugins=[], seed=seed, progress=progress)


@dataclass(frozen=True)
class Cumulative:
    """A fresh network at each step on the whole data of all steps so far, as if nothing were ever dropped."""

    training: Training
    name: ClassVar[str] = "cumulative"
    needs_buffer: ClassVar[bool] = False
    one_step: ClassVar[bool] = False

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * seen)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return FromScratch(
            networks=networks,
            training=self.training,
            buffer=None,
            seed=seed,
            progress=progress,
            cumulative=True,
        )


@dataclass(frozen=True)
class Joint:
    """One network on the whole data of all classes at once: the upper bound."""

    training: Training
    name: ClassVar[str] = "joint"
    needs_buffer: ClassVar[bool] = False
    one_step: ClassVar[bool] = True

    def training_passes(self, clouds: int, seen: int, memory: Held) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * clouds)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return FromScratch(
            networks=networks, training=self.training, buffer=None, seed=seed, progress=progress
        )
