"""Condenser: initializer x parameterization x objective x surrogates, and the loop that runs them."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, check_clouds, normalize
from cl3d.distill.budget import Budget
from cl3d.distill.initializers import Initializer, Random
from cl3d.distill.networks import BuildModel, Networks, resolve_device
from cl3d.distill.objectives import Objective
from cl3d.distill.optimizers import Adam, Optimizer, check_schedule, rate_factor, scale_rates
from cl3d.distill.parameterizations.base import Parameterization
from cl3d.distill.parameterizations.points import Points
from cl3d.distill.statistics import frozen_statistics
from cl3d.distill.surrogates import Fresh, Surrogates
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError, Note, check_whole
from cl3d.models import Backbone, PointNet
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator

FORWARD_PASS = 0.4
"""Cost of a forward pass without a graph, in training passes."""


@dataclass(frozen=True)
class Condenser:
    """Makes a small synthetic set of a large real one.

    Attributes:
        initializer: picks the real clouds to start from.
        parameterization: how the set is stored.
        objective: what is optimised; None leaves the initializer's picks as they are (a coreset).
        surrogates: the networks that the objective looks through.
        optimizer: over the stored tensors.
        schedule: of its learning rate, one of ``cl3d.distill.optimizers.SCHEDULES``.
        iterations: updates of the set.
        real_batch: real clouds per class and iteration.
        statistics_batch: how many of these, at most, a network's batch statistics are taken from.
        name: what to call it in tables.
    """

    initializer: Initializer = field(default_factory=Random)
    parameterization: Parameterization = field(default_factory=Points)
    objective: Objective | None = None
    surrogates: Surrogates = field(default_factory=Fresh)
    optimizer: Optimizer = Adam(lr=3e-3)
    schedule: str = "constant"
    iterations: int = 0
    real_batch: int = 16
    statistics_batch: int = 8
    name: str = "custom"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        if self.objective is not None and self.iterations < 1:
            raise InputError(
                f"{self.name} has an objective but iterations={self.iterations}: give at least 1"
            )
        for name, least in (("iterations", 0), ("real_batch", 1), ("statistics_batch", 1)):
            check_whole(name, getattr(self, name), least)

    def __call__(
        self,
        clouds: PointClouds,
        *,
        budget: Budget,
        model: BuildModel = PointNet,
        seed: int = 0,
        device: str | torch.device = "cpu",
        progress: Progress = silent,
    ) -> SyntheticSet:
        """Condenses ``clouds`` and sees nothing else.

        Args:
            clouds: the real clouds; networks get one output for each class among them.
            budget: what the set may cost; see :class:`Budget`.
            model: builds a network for a number of classes.
            seed: the same seed gives the same bytes on the CPU.
            device: where the networks run.

        Returns:
            The set, on the CPU, labelled as ``clouds`` are; ``info`` has the losses and how far
            points moved.

        Raises:
            InputError: if the clouds or the budget cannot be used, or the loss is not finite.
        """
        check_clouds(clouds, "the data to condense")
        where = resolve_device(str(device))
        classes = clouds.classes
        real = clouds.with_points(clouds.points.float()).to(where)
        # two outputs at least: with one, cross-entropy is 0 and so are all gradients
        networks = Networks(model, max(2, len(classes)), where, fold(seed, "networks"))
        synthetic = self._start(real, budget, networks, seed, progress).to(where)
        if self.objective is not None:
            self._optimize(synthetic, real.with_local_labels(), classes, networks, seed, progress)
        synthetic = synthetic.cpu()
        synthetic.labels.copy_(torch.tensor(classes)[synthetic.labels])
        return synthetic

    def training_passes(self, clouds: int, classes: int, stored: int) -> float:
        """What condensing costs, in clouds sent forward and backward through a network.

        Args:
            clouds, classes: of the real data.
            stored: clouds of the set.
        """
        training = self.initializer.training
        passes = 0.0 if training is None else float(training.epochs * clouds)
        if self.objective is not None:
            real, synthetic = self.objective.passes
            each = classes * (real * self.real_batch + FORWARD_PASS * self.statistics_batch)
            each += synthetic * stored + self.surrogates.training_epochs * stored
            passes += self.iterations * each
        return passes

    def _start(
        self, real: PointClouds, budget: Budget, networks: Networks, seed: int, progress: Progress
    ) -> SyntheticSet:
        """The set before the first iteration, with local labels."""
        there = [int((real.labels == label).sum()) for label in real.classes]
        shares = budget.shares(there, real.num_points)
        counts = {}
        for label, available, share in zip(real.classes, there, shares, strict=True):
            wanted = self.parameterization.clouds_within(share, real.num_points)
            counts[label] = min(wanted, available)
            if wanted > available:
                warnings.warn(
                    f"class {label} has {available} clouds, {wanted} are asked for: all are used",
                    Note,
                    stacklevel=3,
                )
        picked = self.initializer.pick(real, counts, networks, fold(seed, "initializer"), progress)
        start = real.with_local_labels()[picked.to(real.labels.device)]
        return self.parameterization.start(start, dict(enumerate(shares)), fold(seed, "parameterization"))

    def _optimize(
        self,
        synthetic: SyntheticSet,
        real: PointClouds,
        classes: list[int],
        networks: Networks,
        seed: int,
        progress: Progress,
    ) -> None:
        before = synthetic.decode().points.detach().clone()
        optimizer = self.optimizer(synthetic.parameter_groups())
        members = [(real.labels == label).nonzero().squeeze(1) for label in range(len(classes))]
        net: Backbone | None = None
        losses: list[float] = []
        with progress("condensing", self.iterations) as advance:
            for iteration in range(self.iterations):
                now = synthetic.decode()
                seen = now.with_points(normalize(now.points.detach()))
                net = self.surrogates.at(iteration, net, seen, networks, fold(seed, "surrogates"))
                batches = [
                    real[_draw(mine, self.real_batch, seed, classes[label], iteration)]
                    for label, mine in enumerate(members)
                ]
                loss, gradient = self._match(net, batches, now)
                if not math.isfinite(loss):
                    raise InputError(
                        f"{self.name}: the loss is {loss} at iteration {iteration}: "
                        "lower the optimizer's learning rate"
                    )
                scale_rates(optimizer, rate_factor(self.schedule, iteration, self.iterations))
                optimizer.zero_grad(set_to_none=True)
                now.points.backward(gradient)
                optimizer.step()
                losses.append(loss)
                advance(f"loss {loss:.4g}")
        if not bool(torch.isfinite(synthetic.decode().points).all()):
            raise InputError(f"{self.name}: the last update exploded: lower the optimizer's learning rate")
        synthetic.info = _summary(losses, before, synthetic)

    def _match(self, net: Backbone, batches: list[PointClouds], now: PointClouds) -> tuple[float, Tensor]:
        """Loss over classes and its gradient with respect to the decoded points, class by class."""
        assert self.objective is not None
        total = 0.0
        gradient = torch.zeros_like(now.points)
        reference = torch.cat([batch.points[: self.statistics_batch] for batch in batches])
        with frozen_statistics(net, reference):
            for label, batch in enumerate(batches):
                mine = now.labels == label
                leaf = now.points.detach()[mine].requires_grad_()
                loss = self.objective(net, batch, PointClouds(leaf, now.labels[mine]))
                (gradient[mine],) = torch.autograd.grad(loss, leaf)
                total += float(loss.detach())
        return total, gradient


def distill(
    clouds: PointClouds,
    condenser: Condenser,
    *,
    ppc: int | None = None,
    ratio: float | None = None,
    nbytes: int | None = None,
    model: BuildModel = PointNet,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Progress = silent,
) -> SyntheticSet:
    """Condenses ``clouds``; the front door to :class:`Condenser`, which see.

    Args:
        ppc, ratio, nbytes: the budget: exactly one of them.
    """
    budget = Budget(ppc=ppc, ratio=ratio, nbytes=nbytes)
    return condenser(clouds, budget=budget, model=model, seed=seed, device=device, progress=progress)


def _draw(members: Tensor, count: int, seed: int, label: int, iteration: int) -> Tensor:
    order = torch.randperm(len(members), generator=generator(seed, "real-batch", label, iteration))
    return members[order[:count].to(members.device)]


def _summary(losses: list[float], before: Tensor, synthetic: SyntheticSet) -> dict[str, Any]:
    """What to know of a finished optimisation; distances are in radii of the clouds' sphere."""
    moved = (synthetic.decode().points.detach() - before).norm(dim=-1)
    tenth = max(1, len(losses) // 10)
    return {
        "iterations": len(losses),
        "loss_first": sum(losses[:tenth]) / tenth,
        "loss_last": sum(losses[-tenth:]) / tenth,
        "moved_mean": float(moved.mean()),
        "moved_max": float(moved.max()),
    }
