"""Training a network on clouds: the one loop behind evaluation, surrogates and feature networks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.augment import Augmentation
from cl3d.distill.optimizers import Adam, Optimizer, check_schedule, rate_factor, scale_rates
from cl3d.distill.statistics import guarded_statistics
from cl3d.errors import check_whole
from cl3d.progress import Progress, silent
from cl3d.random import generator, isolated


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        epochs: passes over the clouds.
        batch_size: upper bound; batches are made equally large (to one cloud), so that no leftover
            of one or two clouds ruins batch statistics.
        optimizer: over the network's parameters.
        schedule: of the learning rate over the epochs, one of ``cl3d.distill.optimizers.SCHEDULES``.
        augmentation: drawn afresh for each batch, or None.
    """

    epochs: int = 60
    batch_size: int = 32
    optimizer: Optimizer = Adam(lr=1e-3)
    schedule: str = "constant"
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        check_whole("epochs", self.epochs, 0)
        check_whole("batch_size", self.batch_size, 1)


def fit(
    net: nn.Module,
    clouds: PointClouds | Sequence[PointClouds],
    training: Training,
    seed: int,
    progress: Progress = silent,
    description: str = "training",
) -> None:
    """Trains ``net`` in place by cross-entropy, on its own device, and leaves it in eval mode.

    Args:
        clouds: the training clouds; several sets where numbers of points differ (a batch holds
            clouds of one set).
        seed: keys the order of the clouds, the augmentation and dropout.
    """
    groups = [clouds] if isinstance(clouds, PointClouds) else list(clouds)
    device = next(net.parameters()).device
    groups = [group.to(device) for group in groups]
    optimizer = training.optimizer(net.parameters())
    net.train()
    with isolated(seed, "dropout", device=device), progress(description, training.epochs) as advance:
        for epoch in range(training.epochs):
            scale_rates(optimizer, rate_factor(training.schedule, epoch, training.epochs))
            loss = _epoch(net, groups, training, optimizer, generator(seed, "epoch", epoch))
            advance(f"loss {loss:.3f}")
    net.eval()


def _epoch(
    net: nn.Module,
    groups: Sequence[PointClouds],
    training: Training,
    optimizer: torch.optim.Optimizer,
    draws: torch.Generator,
) -> float:
    total, seen = torch.zeros(()), 0
    for batch in batches(groups, training.batch_size, draws):
        points = batch.points
        if training.augmentation is not None:
            points = training.augmentation(points, draws)
        optimizer.zero_grad(set_to_none=True)
        with guarded_statistics(net, len(batch)):
            loss = nn.functional.cross_entropy(net(points), batch.labels)
        loss.backward()
        optimizer.step()
        total += loss.detach().cpu() * len(batch)
        seen += len(batch)
    return float(total) / max(seen, 1)


def batches(
    groups: Sequence[PointClouds], batch_size: int, draws: torch.Generator | None
) -> Iterator[PointClouds]:
    """Cuts each group into equally large batches of at most ``batch_size`` clouds.

    With ``draws`` clouds and batches come in random order, otherwise in their own.
    """
    cut: list[tuple[PointClouds, Tensor]] = []
    for group in groups:
        n = len(group)
        order = torch.arange(n) if draws is None else torch.randperm(n, generator=draws)
        cut += [(group, part) for part in order.tensor_split(math.ceil(n / batch_size))]
    turn = range(len(cut)) if draws is None else torch.randperm(len(cut), generator=draws).tolist()
    for position in turn:
        group, part = cut[position]
        yield group[part.to(group.labels.device)]
