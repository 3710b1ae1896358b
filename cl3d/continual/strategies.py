"""The continual strategies of a run: how a network learns from each step.

Each is a value; :meth:`build` turns it into an Avalanche strategy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.templates import SupervisedTemplate
from torch.utils.data import DataLoader, Sampler

from cl3d.continual.benchmark import experience_clouds
from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.replay import CondensedReplay
from cl3d.distill import Networks, Training, fit
from cl3d.distill.statistics import guarded_statistics
from cl3d.errors import InputError
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator, isolated

EVAL_BATCH = 64


class Strategy(Protocol):
    """How a network learns a stream."""

    name: ClassVar[str]
    needs_buffer: ClassVar[bool]
    one_step: ClassVar[bool]
    """Whether the stream is one step of all classes, whatever number of steps is asked for."""
    training: Training

    def training_passes(self, clouds: int, memory: int) -> float:
        """What a step costs, in clouds sent forward and backward: for forecasts only.

        Args:
            clouds: of the step's data.
            memory: clouds in the memory, the step's included.
        """

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """The Avalanche strategy; ``networks`` draws its initial weights."""


class FromScratch(SupervisedTemplate):
    """Trains a fresh network at each experience on a memory only (GDumb, Prabhu et al., ECCV 2020).

    Args:
        networks: draws the network of each step, keyed by the step.
        training: how each network is trained.
        buffer: the memory, to which the experience is added first; None trains on the experience.
    """

    def __init__(
        self,
        *,
        networks: Networks,
        training: Training,
        buffer: CondensedBuffer | None,
        seed: int,
        progress: Progress = silent,
    ) -> None:
        model = networks.draw("step", 0)
        super().__init__(
            model=model,
            optimizer=training.optimizer(model.parameters()),
            eval_mb_size=EVAL_BATCH,
            device=networks.device,
            evaluator=EvaluationPlugin(),
        )
        self.networks, self.training, self.buffer = networks, training, buffer
        self.seed, self.progress = seed, progress

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        step = experience.current_experience
        if self.buffer is not None:
            self.buffer.post_adapt(self, experience)
            clouds = self.buffer.clouds()
        else:
            clouds = [experience_clouds(experience)]
        self.model = self.networks.draw("step", step)
        fit(self.model, clouds, self.training, fold(self.seed, "train", step), self.progress)


class KeyedBatches(Sampler[list[int]]):
    """Positions in equally large batches of at most ``batch_size``, in another keyed order each time."""

    def __init__(self, length: int, batch_size: int, seed: int) -> None:
        self.length, self.batches, self.seed = length, math.ceil(length / batch_size), seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(self.length, generator=generator(self.seed, self.epoch))
        self.epoch += 1
        return iter([part.tolist() for part in order.tensor_split(self.batches)])


class Continued(SupervisedTemplate):
    """Goes on training one network with each experience's data, through Avalanche's own loop.

    Args:
        training: epochs, batch size, optimiser and schedule of each experience.
    """

    def __init__(
        self,
        *,
        networks: Networks,
        training: Training,
        plugins: list[Any],
        seed: int,
        progress: Progress = silent,
    ) -> None:
        model = networks.draw("step", 0)
        super().__init__(
            model=model,
            optimizer=training.optimizer(model.parameters()),
            train_mb_size=training.batch_size,
            train_epochs=training.epochs,
            eval_mb_size=EVAL_BATCH,
            device=networks.device,
            plugins=plugins,
            evaluator=EvaluationPlugin(),
        )
        self.training, self.seed, self.progress = training, seed, progress
        self._advance: Any = None

    def make_train_dataloader(self, **kwargs: Any) -> None:
        """Equally large batches in keyed order; the stock loader leaves a last batch of any size."""
        dataset = self.adapted_dataset
        assert dataset is not None
        order = KeyedBatches(len(dataset), self.train_mb_size, fold(self.seed, "order", self._step))
        self.dataloader = DataLoader(dataset, batch_sampler=order)

    @property
    def _step(self) -> int:
        return int(self.experience.current_experience)

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        with (
            isolated(self.seed, "dropout", self._step, device=self.device),
            self.progress("training", self.train_epochs) as self._advance,
        ):
            super()._train_exp(experience, eval_streams, **kwargs)

    def forward(self) -> Any:
        """As usual, but no batch of one or two clouds reaches a BatchNorm in training."""
        with guarded_statistics(self.model, len(self.mb_x)):
            return super().forward()

    def _before_forward(self, **kwargs: Any) -> None:
        if self.training.augmentation is not None:
            draws = generator(self.seed, "augment", self.clock.train_iterations)
            self.mbatch[0] = self.training.augmentation(self.mbatch[0], draws)
        super()._before_forward(**kwargs)

    def _after_training_epoch(self, **kwargs: Any) -> None:
        self._advance(f"loss {float(self.loss.detach()):.3f}")
        super()._after_training_epoch(**kwargs)


@dataclass(frozen=True)
class Scratch:
    """A fresh network on the memory alone, at each step (000, section 6.6)."""

    training: Training
    name: ClassVar[str] = "scratch"
    needs_buffer: ClassVar[bool] = True
    one_step: ClassVar[bool] = False

    def training_passes(self, clouds: int, memory: int) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * memory)

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
        _check_constant(self.training)

    def training_passes(self, clouds: int, memory: int) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * clouds * (1 + self.memory_batch / self.training.batch_size))

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
class Naive:
    """One network goes on learning from each step's data, without a memory: the lower bound."""

    training: Training
    name: ClassVar[str] = "naive"
    needs_buffer: ClassVar[bool] = False
    one_step: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_constant(self.training)

    def training_passes(self, clouds: int, memory: int) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * clouds)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return Continued(networks=networks, training=self.training, plugins=[], seed=seed, progress=progress)


@dataclass(frozen=True)
class Joint:
    """One network on the whole data of all classes at once: the upper bound."""

    training: Training
    name: ClassVar[str] = "joint"
    needs_buffer: ClassVar[bool] = False
    one_step: ClassVar[bool] = True

    def training_passes(self, clouds: int, memory: int) -> float:
        """See :class:`Strategy`."""
        return float(self.training.epochs * clouds)

    def build(
        self, networks: Networks, buffer: CondensedBuffer | None, seed: int, progress: Progress
    ) -> SupervisedTemplate:
        """See :class:`Strategy`."""
        return FromScratch(
            networks=networks, training=self.training, buffer=None, seed=seed, progress=progress
        )


def _check_constant(training: Training) -> None:
    if training.schedule != "constant":
        raise InputError(f"schedule={training.schedule!r}: a network that goes on learning takes 'constant'")
