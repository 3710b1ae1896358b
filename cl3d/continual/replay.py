"""CondensedReplay: the plugin that rehearses a distilled memory in any Avalanche strategy."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.continual.buffer import CondensedBuffer
from cl3d.distill import Augmentation
from cl3d.distill.statistics import guarded_statistics
from cl3d.random import generator


class CondensedReplay(SupervisedPlugin):
    """Adds the loss on a batch from the memory to every training iteration, and fills the memory.

    The memory batch is a forward pass of its own for each number of points, so that clouds of
    different resolution never meet in one batch. After an experience is learnt, its data is condensed.

    Args:
        buffer: the memory.
        batch_size: clouds drawn from the memory per iteration.
        weight: of the memory's mean loss against the step's.
        augmentation: of the clouds drawn, or None.
        seed: keys the draws.
    """

    def __init__(
        self,
        buffer: CondensedBuffer,
        batch_size: int = 32,
        weight: float = 1.0,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.buffer, self.batch_size, self.weight = buffer, batch_size, weight
        self.augmentation, self.seed = augmentation, seed
        self._groups: list[PointClouds] = []

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        """Decodes the memory afresh, for sets that draw when decoding."""
        draws = generator(self.seed, "decode", strategy.clock.train_iterations)
        self._groups = [group.to(strategy.device) for group in self.buffer.clouds(draws)]

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the memory's loss."""
        if self._groups:
            draws = generator(self.seed, "memory-batch", strategy.clock.train_iterations)
            strategy.loss = strategy.loss + self.weight * self._loss(strategy, draws)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Condenses the experience that was just learnt."""
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
                points = batch.points
                if self.augmentation is not None:
                    points = self.augmentation(points, draws)
                with guarded_statistics(strategy.model, len(batch)):
                    loss = strategy._criterion(strategy.model(points), batch.labels)
                total = total + loss * (len(mine) / len(drawn))
        return total
