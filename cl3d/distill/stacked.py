"""Training several networks of one kind at once, their weights stacked.

A device that starts operations more slowly than it does them trains ten small networks in hardly more time
than one. What each of them sees, and when, is what :func:`cl3d.distill.fit` shows it.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import stack_module_state, vmap

from cl3d.clouds import PointClouds
from cl3d.distill.optimizers import rate_factor, scale_rates
from cl3d.distill.statistics import guarded_statistics
from cl3d.distill.training import Clouds, Training, batches, groups_for, note_leftovers
from cl3d.distill.views import logits_with
from cl3d.models import Backbone
from cl3d.progress import Progress, silent
from cl3d.random import generator, isolated


class Lesson(NamedTuple):
    """What one network learns from in one step.

    Attributes:
        points: (b, p, 3).
        targets: (b,) classes, or (b, c) probabilities.
    """

    points: Tensor
    targets: Tensor


class Stack:
    """Backbones of one kind as one, whose parameters and buffers have a first axis of networks.

    Args:
        nets: in one mode; :meth:`unstack` gives them what has been learnt.
    """

    def __init__(self, nets: Sequence[Backbone]) -> None:
        self.nets = list(nets)
        self.net = copy.deepcopy(nets[0])
        self.parameters, self.buffers = stack_module_state(self.nets)

    def losses(self, members: Sequence[int], lessons: Sequence[Lesson]) -> Tensor:
        """Mean cross-entropy of some of the networks, each on its own lesson; all of one shape.

        Batch statistics are kept as these networks would keep them alone.
        """
        rows = torch.tensor(members, device=lessons[0].points.device)
        parameters = {name: values[rows] for name, values in self.parameters.items()}
        buffers = {name: values[rows] for name, values in self.buffers.items()}
        points, targets = (torch.stack(column) for column in zip(*lessons, strict=True))
        losses: Tensor = vmap(self._loss, randomness="different")(parameters, buffers, points, targets)
        for name, values in buffers.items():
            self.buffers[name][rows] = values
        return losses

    @torch.no_grad()
    def unstack(self) -> None:
        """Copies each network's part into it."""
        for row, net in enumerate(self.nets):
            net.load_state_dict(
                {k: v[row] for k, v in (self.parameters | self.buffers).items()}, strict=False
            )

    def _loss(
        self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], points: Tensor, targets: Tensor
    ) -> Tensor:
        logits = logits_with(self.net, (parameters, buffers), points)
        return nn.functional.cross_entropy(logits, targets)


def fit_stacked(
    nets: Sequence[Backbone],
    clouds: Sequence[Clouds | Callable[[int], Clouds]],
    training: Training,
    seeds: Sequence[int],
    progress: Progress = silent,
    description: str = "training",
) -> None:
    """Trains networks in place, each as :func:`~cl3d.distill.fit` would, up to rounding.

    Dropout is drawn for all of them together, so it is not what they would draw alone.

    Args:
        nets: backbones of one kind, on one device, through which ``vmap`` runs (``batchable``).
        clouds: what each learns from; equally many.
        seeds: of each.
    """
    device = next(nets[0].parameters()).device
    groups = [_at(own, 0, net, device) for own, net in zip(clouds, nets, strict=True)]
    if training.leftovers:
        note_leftovers(nets[0], groups[0], training.batch_size)
    stack = Stack([net.train() for net in nets])
    optimizer = training.optimizer([p for p in stack.parameters.values() if p.requires_grad])
    with (
        isolated(seeds[0], "dropout", device=device),
        progress(description, training.epochs, each="epoch") as advance,
    ):
        for epoch in range(training.epochs):
            if epoch > 0:
                groups = [
                    _at(own, epoch, net, device) if callable(own) else before
                    for own, net, before in zip(clouds, nets, groups, strict=True)
                ]
            scale_rates(optimizer, rate_factor(training.schedule, epoch, training.epochs))
            draws = [generator(seed, "epoch", epoch) for seed in seeds]
            loss = _epoch(stack, groups, training, optimizer, draws)
            advance(loss=loss)
    stack.unstack()
    for net in nets:
        net.eval()


def _at(
    clouds: Clouds | Callable[[int], Clouds], epoch: int, net: Backbone, device: torch.device
) -> list[PointClouds]:
    return groups_for(net, clouds(epoch) if callable(clouds) else clouds, device)


def _epoch(
    stack: Stack,
    groups: Sequence[Sequence[PointClouds]],
    training: Training,
    optimizer: torch.optim.Optimizer,
    draws: Sequence[torch.Generator],
) -> float:
    """One pass of each network over its clouds; the mean loss of all."""
    total, seen = torch.zeros((), device=next(iter(stack.parameters.values())).device), 0
    streams = [
        batches(own, training.batch_size, drawn, training.leftovers)
        for own, drawn in zip(groups, draws, strict=True)
    ]
    for step in zip(*streams, strict=True):
        lessons = [
            _lesson(batch, training, drawn, stack.net.num_classes)
            for batch, drawn in zip(step, draws, strict=True)
        ]
        optimizer.zero_grad(set_to_none=True)
        for members in _alike(lessons):
            clouds = len(lessons[members[0]].points)
            with guarded_statistics(stack.net, clouds, training.smallest_batch):
                losses = stack.losses(members, [lessons[member] for member in members])
            losses.sum().backward()
            total += losses.detach().sum() * clouds
            seen += clouds * len(members)
        optimizer.step()
    return float(total) / max(seen, 1)


def _lesson(batch: PointClouds, training: Training, draws: torch.Generator, num_classes: int) -> Lesson:
    """A batch augmented and mixed; the loss of mixed clouds is that of their mixed targets."""
    if training.augmentation is not None:
        batch = training.augmentation.of(batch, draws)
    if training.mixup is None:
        return Lesson(batch.points, batch.targets(num_classes))
    mixed, targets = training.mixup(batch.points, draws), batch.soft_targets(num_classes)
    share = mixed.share.unsqueeze(1)
    return Lesson(mixed.points, share * targets + (1 - share) * targets[mixed.partner])


def _alike(lessons: Sequence[Lesson]) -> list[list[int]]:
    """The networks whose lessons have one shape: batches differ by a cloud, groups by their points."""
    kinds = defaultdict(list)
    for member, lesson in enumerate(lessons):
        kinds[lesson.points.shape].append(member)
    return list(kinds.values())
