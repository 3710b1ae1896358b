"""Training a network on clouds: the one loop behind evaluation, surrogates and feature networks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cl3d.clouds import PointClouds
from cl3d.distill.augment import Augmentation
from cl3d.distill.mixup import PointMixup, mixed_loss
from cl3d.distill.optimizers import Adam, Optimizer, check_schedule, rate_factor, scale_rates
from cl3d.distill.statistics import SMALLEST_BATCH, guarded_statistics
from cl3d.distill.views import for_net, mean_loss
from cl3d.errors import InputError, Note, check_whole
from cl3d.models import SegmentationNet
from cl3d.progress import Progress, silent
from cl3d.random import generator, isolated


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        epochs: passes over the clouds.
        batch_size: upper bound; batches are made equally large (to one cloud), so that no leftover
            of one or two clouds ruins batch statistics.
        mixup: mixes the clouds of a batch, after augmentation; None leaves them.
        leftovers: cut full batches and one of whatever is left over instead, as data loaders do.
        optimizer: over the network's parameters.
        schedule: of the learning rate over the epochs, one of ``cl3d.distill.optimizers.SCHEDULES``.
        augmentation: drawn afresh for each batch, or None.
    """

    epochs: int = 60
    batch_size: int = 32
    optimizer: Optimizer = Adam(lr=1e-3)
    schedule: str = "constant"
    augmentation: Augmentation | None = None
    mixup: PointMixup | None = None
    leftovers: bool = False

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        check_whole("epochs", self.epochs, 0)
        check_whole("batch_size", self.batch_size, 1)

    @property
    def smallest_batch(self) -> int:
        """The fewest clouds whose batch statistics are used."""
        return 2 if self.leftovers else SMALLEST_BATCH


Clouds = PointClouds | Sequence[PointClouds]
"""One set of clouds, or several where numbers of points differ."""


def fit(
    net: nn.Module,
    clouds: Clouds | Callable[[int], Clouds],
    training: Training,
    seed: int,
    progress: Progress = silent,
    description: str = "training",
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Trains ``net`` in place by cross-entropy, on its own device, and leaves it in eval mode.

    A backbone learns the classes of the clouds; a net that segments is told them and learns the parts of
    their points.

    Args:
        clouds: the training clouds (a batch holds clouds of one set); or a function of the epoch that
            gives them.
        seed: keys the order of the clouds, the augmentation and dropout.
        after_epoch: called with each finished epoch; it may put the network in eval mode.

    Raises:
        InputError: if the network segments, and clouds have no parts or mixup is asked for.
    """
    device = next(net.parameters()).device
    if training.mixup is not None and isinstance(net, SegmentationNet):
        raise InputError("mixup mixes classes, of which part segmentation is told: leave mixup out")
    groups = groups_for(net, clouds(0) if callable(clouds) else clouds, device)
    if training.leftovers:
        note_leftovers(net, groups, training.batch_size)
    optimizer = training.optimizer(net.parameters())
    with (
        isolated(seed, "dropout", device=device),
        progress(description, training.epochs, each="epoch") as advance,
    ):
        for epoch in range(training.epochs):
            if callable(clouds) and epoch > 0:
                groups = groups_for(net, clouds(epoch), device)
            net.train()
            scale_rates(optimizer, rate_factor(training.schedule, epoch, training.epochs))
            loss = _epoch(net, groups, training, optimizer, generator(seed, "epoch", epoch))
            after_epoch(epoch)
            advance(loss=loss)
    net.eval()


def groups_for(net: nn.Module, clouds: Clouds, device: torch.device) -> list[PointClouds]:
    """The clouds as the network learns from them, on its device."""
    groups = [clouds] if isinstance(clouds, PointClouds) else clouds
    return [for_net(net, group, "what is learnt").to(device) for group in groups]


def note_leftovers(net: nn.Module, groups: Sequence[PointClouds], batch_size: int) -> None:
    """Warns where batches that are cut full leave one or two clouds to a BatchNorm."""
    smallest = min(1 + (len(group) - 1) % batch_size for group in groups)
    if smallest < SMALLEST_BATCH and any(isinstance(m, _BatchNorm) for m in net.modules()):
        warnings.warn(
            f"batches of {batch_size} leave {smallest} clouds over, whose batch statistics ruin a network: "
            "leftovers=false makes batches equally large",
            Note,
            stacklevel=3,
        )


def _epoch(
    net: nn.Module,
    groups: Sequence[PointClouds],
    training: Training,
    optimizer: torch.optim.Optimizer,
    draws: torch.Generator,
) -> float:
    # summed up where the losses are: CUDA would stand still whenever it is asked for one
    total, seen = torch.zeros((), device=next(net.parameters()).device), 0
    for batch in batches(groups, training.batch_size, draws, training.leftovers):
        if training.augmentation is not None:
            batch = training.augmentation.of(batch, draws)
        optimizer.zero_grad(set_to_none=True)
        with guarded_statistics(net, len(batch), training.smallest_batch):
            if training.mixup is None:
                loss = mean_loss(net, batch)
            else:
                loss = mixed_loss(net, training.mixup(batch.points, draws), batch)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
        seen += len(batch)
    return float(total) / max(seen, 1)


def batches(
    groups: Sequence[PointClouds],
    batch_size: int,
    draws: torch.Generator | None,
    leftovers: bool = False,
) -> Iterator[PointClouds]:
    """Cuts each group into equally large batches of at most ``batch_size`` clouds.

    With ``draws`` clouds and batches come in random order, otherwise in their own.

    Args:
        leftovers: cut full batches, and one of what is left over.
    """
    cut: list[tuple[PointClouds, Tensor]] = []
    for group in groups:
        n = len(group)
        order = torch.arange(n) if draws is None else torch.randperm(n, generator=draws)
        parts = order.split(batch_size) if leftovers else order.tensor_split(math.ceil(n / batch_size))
        cut += [(group, part) for part in parts]
    turn = range(len(cut)) if draws is None else torch.randperm(len(cut), generator=draws).tolist()
    for position in turn:
        group, part = cut[position]
        yield group[part.to(group.labels.device)]
