"""CondensedReplay: the plugin that rehearses a distilled memory in any Avalanche strategy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from avalanche.models.utils import avalanche_forward, is_multi_task_module
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.segmenting import point_criterion
from cl3d.distill import Augmentation
from cl3d.distill.statistics import guarded_statistics
from cl3d.distill.views import for_net, outputs
from cl3d.errors import InputError, Note, check_range, check_whole
from cl3d.models import SegmentationNet
from cl3d.numerics import as_asked
from cl3d.random import generator
from cl3d.soft_labels import pad_targets

Collate = Callable[[list[tuple[Tensor, Tensor, int]]], Sequence[Any]]
"""Makes a batch of items: (points (p, 3), target, task label 0), as those of a class-incremental stream."""


class CondensedReplay(SupervisedPlugin):
    """Adds the loss on a batch from the memory to every training iteration, and fills the memory.

    The memory batch is a forward pass of its own for each number of points, so that clouds of
    different resolution never meet in one batch. After an experience is learnt, its data is condensed.
    Sets that draw when decoding are decoded afresh in each epoch. Where the strategy's network segments, the
    loss is the mean over the points of the memory's clouds, among the parts of all classes together.

    Args:
        buffer: the memory.
        batch_size: clouds drawn from the memory per iteration.
        weight: of the memory's mean loss against the step's.
        augmentation: of the clouds drawn, or None.
        seed: keys the draws.
        criterion: the loss of (logits, targets); None is the strategy's own. Targets are labels, (b,)
            int64, or (b, num_classes) probabilities where labels are soft: cross-entropy takes both. Of
            networks that segment they are (b, parts, p) and (b, p).
        collate: makes a batch (inputs, targets[, ..., task labels]) of drawn items, which have equally many
            points; for models that take something else than (b, p, 3) tensors, and for those with a head for
            each task. None stacks them. Networks that segment take clouds with their classes, and none.
    """

    def __init__(
        self,
        buffer: CondensedBuffer,
        batch_size: int = 32,
        weight: float = 1.0,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        *,
        criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
        collate: Collate | None = None,
    ) -> None:
        super().__init__()
        check_whole("batch_size", batch_size, 1)
        check_range("weight", weight, 0, float("inf"))
        self.buffer, self.batch_size, self.weight = buffer, batch_size, weight
        self.augmentation, self.seed = augmentation, seed
        self.criterion, self.collate = criterion, collate
        self._groups: list[PointClouds] = []
        self._rehearsed = False

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        """Decodes the memory afresh, for sets that draw when decoding."""
        draws = generator(self.seed, "decode", strategy.clock.train_iterations)
        self._groups = [group.to(strategy.device) for group in self.buffer.clouds(draws)]

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the memory's loss."""
        if self._groups:
            draws = generator(self.seed, "memory-batch", strategy.clock.train_iterations)
            strategy.loss = strategy.loss + self.weight * self._loss(strategy, draws)
            self._rehearsed = True

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Condenses the experience that was just learnt."""
        if self.buffer.sets and not self._rehearsed:
            warnings.warn(
                f"{type(strategy).__name__} has learnt a step without the memory: it trains in a loop of "
                "its own, which has to call before_training_epoch and before_backward of its plugins",
                Note,
                stacklevel=2,
            )
        self._rehearsed = False
        self.buffer.post_adapt(strategy, strategy.experience)

    def _loss(self, strategy: Any, draws: torch.Generator) -> Tensor:
        sizes = [len(group) for group in self._groups]
        drawn = torch.randperm(sum(sizes), generator=draws)[: self.batch_size]
        total, start = torch.zeros((), device=strategy.device), 0
        for group, size in zip(self._groups, sizes, strict=True):
            mine = drawn[(drawn >= start) & (drawn < start + size)] - start
            start += size
            if len(mine):
                batch = group[mine.to(group.labels.device)]
                if self.augmentation is not None:
                    batch = self._augmented(batch, draws)
                with guarded_statistics(strategy.model, len(batch)):
                    total = total + self._mean_loss(strategy, batch) * (len(mine) / len(drawn))
        return total

    def _augmented(self, batch: PointClouds, draws: torch.Generator) -> PointClouds:
        assert self.augmentation is not None
        if batch.parts is None:
            return batch.with_points(self.augmentation(batch.points, draws))
        return self.augmentation.of(batch, draws)

    def _mean_loss(self, strategy: Any, batch: PointClouds) -> Tensor:
        criterion = self.criterion or strategy._criterion
        if isinstance(strategy.model, SegmentationNet):
            if self.collate is not None:
                raise InputError("networks that segment take clouds with their classes: leave collate out")
            shapes = for_net(strategy.model, batch, "the memory")
            return point_criterion(criterion, outputs(strategy.model, shapes), shapes)
        inputs, targets, tasks = self._collated(batch, strategy.device)
        if tasks is None:
            tasks = _task_of_all(strategy, targets)
        logits = as_asked(avalanche_forward)(strategy.model, inputs, tasks)
        if targets.is_floating_point():
            targets = pad_targets(targets, logits.shape[1])
        loss: Tensor = criterion(logits, targets)
        return loss

    def _collated(self, batch: PointClouds, device: torch.device) -> tuple[Any, Tensor, Tensor | None]:
        """Inputs, targets and task labels; None where nobody tells these."""
        targets = batch.labels if batch.soft_labels is None else batch.soft_labels
        if self.collate is None:
            return batch.points, targets, None
        made = self.collate(
            [(points, target, 0) for points, target in zip(batch.points, targets, strict=True)]
        )
        if not isinstance(made, Sequence) or len(made) < 2:
            raise InputError(
                "collate gave no (inputs, targets): return both, and task labels last where needed"
            )
        tasks = made[-1].to(device) if len(made) > 2 else None
        return made[0].to(device), made[1].to(device), tasks


def _task_of_all(strategy: Any, targets: Tensor) -> Tensor:
    """Task label 0 for each target, as in a class-incremental stream.

    Raises:
        InputError: if the network has a head for each task, and the stream is of several.
    """
    if is_multi_task_module(strategy.model) and bool(strategy.mb_task_id.any()):
        raise InputError(
            "the network has a head for each task, and the memory's clouds do not tell theirs: give a collate"
            " that returns (inputs, targets, task labels)"
        )
    return torch.zeros(len(targets), dtype=torch.int64, device=targets.device)
