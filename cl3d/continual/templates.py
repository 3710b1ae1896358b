"""The two Avalanche strategies that runs are made of: a fresh network each time, and one that goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.templates import SupervisedTemplate
from torch.utils.data import DataLoader, Sampler

from cl3d.clouds import concatenate
from cl3d.continual.benchmark import experience_clouds
from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.recorder import EVAL_BATCH
from cl3d.continual.segmenting import PARTS, SegmentsParts, batch_of
from cl3d.distill import Networks, Training, fit
from cl3d.distill.statistics import guarded_statistics
from cl3d.models import SegmentationNet
from cl3d.numerics import as_asked
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator, isolated


class FromScratch(SegmentsParts, SupervisedTemplate):
    """Trains a fresh network at each experience on a memory only (GDumb, Prabhu et al., ECCV 2020).

    Args:
        networks: draws the network of each step, keyed by the step.
        training: how each network is trained.
        buffer: the memory, to which the experience is added first; None trains on the experience.
        cumulative: without a memory, trains on all experiences so far instead.
    """

    def __init__(
        self,
        *,
        networks: Networks,
        training: Training,
        buffer: CondensedBuffer | None,
        seed: int,
        progress: Progress = silent,
        cumulative: bool = False,
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
        self.seed, self.progress, self.cumulative = seed, progress, cumulative

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        step = experience.current_experience
        if self.buffer is not None:
            self.buffer.post_adapt(self, experience)
            clouds = self.buffer.clouds()
        else:
            first = 0 if self.cumulative else step
            clouds = [concatenate([experience_clouds(e) for e in experience.origin_stream[first : step + 1]])]
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


class Continued(SegmentsParts, SupervisedTemplate):
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
            self.progress("training", self.train_epochs, each="epoch") as self._advance,
        ):
            super()._train_exp(experience, eval_streams, **kwargs)

    def forward(self) -> Any:
        """As usual, in the precision asked for; a batch of one or two clouds reaches no BatchNorm."""
        own = super().forward
        with guarded_statistics(self.model, len(self.mb_x)):
            return as_asked(lambda model: own())(self.model)

    def _before_forward(self, **kwargs: Any) -> None:
        if self.training.augmentation is not None:
            draws = generator(self.seed, "augment", self.clock.train_iterations)
            if isinstance(self.model, SegmentationNet):
                shapes = self.training.augmentation.of(batch_of(self), draws)
                self.mbatch[0], self.mbatch[PARTS] = shapes.points, shapes.parts
            else:
                self.mbatch[0] = self.training.augmentation(self.mbatch[0], draws)
        super()._before_forward(**kwargs)

    def _after_training_epoch(self, **kwargs: Any) -> None:
        self._advance(loss=float(self.loss.detach()))
        super()._after_training_epoch(**kwargs)
