"""Condenser: initializer x parameterization x objective x surrogates, and a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds
from cl3d.distill.budget import Budget
from cl3d.distill.compatibility import check_composition, check_resolution, check_together
from cl3d.distill.initializers import Initializer, Random
from cl3d.distill.loop import Diverged, Loop
from cl3d.distill.networks import BuildModel, Networks, resolve_device, trial
from cl3d.distill.objectives import Objective
from cl3d.distill.optimizers import Adam, Optimizer, check_schedule
from cl3d.distill.parameterizations.base import Parameterization
from cl3d.distill.parameterizations.points import Points
from cl3d.distill.parameterizations.sizes import Size
from cl3d.distill.resuming import checkpoint_of, state_to_go_on_from
from cl3d.distill.sharing import least_bytes, note_small, picks_within
from cl3d.distill.starting import started
from cl3d.distill.surrogates import Fresh, Surrogates
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.views import for_net
from cl3d.distributed import by_main
from cl3d.errors import check_whole
from cl3d.models import Net, PointNet
from cl3d.progress import Progress, silent
from cl3d.random import fold


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
        real_points: points of these, drawn anew in each iteration; None takes all. A coarse set does better
            when it is compared with real clouds that are as coarse.
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
    real_points: int | None = None
    statistics_batch: int = 8
    name: str = "custom"

    def __post_init__(self) -> None:
        check_schedule(self.schedule)
        for name, least in (("iterations", 0), ("real_batch", 1), ("statistics_batch", 1)):
            check_whole(name, getattr(self, name), least)
        if self.real_points is not None:
            check_whole("real_points", self.real_points, 1)
        check_composition(self.name, self.objective, self.parameterization, self.surrogates, self.iterations)

    def __call__(
        self,
        clouds: PointClouds,
        *,
        budget: Budget,
        model: BuildModel = PointNet,
        seed: int = 0,
        device: str | torch.device = "cpu",
        progress: Progress = silent,
        checkpoint: Path | None = None,
    ) -> SyntheticSet:
        """Condenses ``clouds`` and sees nothing else.

        Args:
            clouds: the real clouds; networks get one output for each class among them.
            budget: what the set may cost; see :class:`Budget`.
            model: builds a network for a number of classes.
            seed: the same seed gives the same bytes on the CPU.
            device: where the networks run.
            checkpoint: a file that is written about once a minute, when interrupted and in the end; where
                it is there, the optimisation goes on from it, to the same bytes as without a break.
                Remove it when the set is saved.

        Returns:
            The set, on the CPU, labelled as ``clouds`` are; ``info`` has the bytes that were allowed,
            the losses and how far points moved, ``initial`` the clouds that it started from.

        Raises:
            InputError: if the clouds, the budget, the model or the checkpoint cannot be used.
            Diverged: if the loss is not finite; it has the last set that was good.
        """
        check_clouds(clouds, "the data to condense")
        clouds = self._learnt_from(clouds, model)
        where = resolve_device(str(device))
        real = clouds.with_points(clouds.points.float()).to(where)
        # two outputs at least: with one, cross-entropy is 0 and so are all gradients
        networks = Networks(model, max(2, len(clouds.classes)), where, fold(seed, "networks"))
        there = real.clouds_of_each_class()
        shares, picks = self.plan(there, real.num_points, budget)
        note_small(self.parameterization, shares, there, real.num_points, real.classes)
        saved = None
        if checkpoint is not None and self.objective is not None:
            saved = checkpoint_of(self, checkpoint, clouds, budget, model, seed, where)
        state = state_to_go_on_from(saved)
        if state is None:
            picked = by_main(partial(self._pick, real, picks, networks, seed, progress))
        else:
            picked = state.tensors["picked"]
        synthetic = started(self.parameterization, real, picked, shares, seed, progress)
        if self.objective is not None:
            loop = self._loop(synthetic, real, networks, seed, progress)
            if state is not None:
                loop.restore(state)
            try:
                loop.run(progress, saved, picked)
            except Diverged as error:
                _finish(error.synthetic, clouds.classes, shares)
                raise
        return _finish(synthetic, clouds.classes, shares)

    def check_model(self, model: BuildModel) -> None:
        """Refuses networks that the condenser cannot work with, before anything is computed.

        Raises:
            InputError: as :func:`cl3d.distill.compatibility.check_together`.
        """
        self.check_net(trial(model))

    def check_net(self, net: Net) -> None:
        """The same, given one of the networks."""
        check_together(self.name, net, self.objective, self.parameterization, self.surrogates)

    def _learnt_from(self, clouds: PointClouds, model: BuildModel) -> PointClouds:
        """The clouds as the networks learn from them: with parts where these segment, otherwise without."""
        net = trial(model)
        self.check_net(net)
        return for_net(net, clouds, "the data to condense")

    def _pick(
        self, real: PointClouds, picks: Sequence[int], networks: Networks, seed: int, progress: Progress
    ) -> Tensor:
        """The positions of the clouds to start from, that many of each class."""
        counts = dict(zip(real.classes, picks, strict=True))
        return self.initializer.pick(real, counts, networks, fold(seed, "initializer"), progress)

    def _loop(
        self, synthetic: SyntheticSet, real: PointClouds, networks: Networks, seed: int, progress: Progress
    ) -> Loop:
        """The optimisation of a set that has just been started."""
        assert self.objective is not None
        local = real.with_local_labels()
        return Loop(
            synthetic=synthetic,
            real=local,
            classes=real.classes,
            networks=networks,
            objective=self.objective,
            surrogates=self.surrogates.prepare(local, networks, fold(seed, "experts"), progress),
            optimizer=self.optimizer,
            schedule=self.schedule,
            iterations=self.iterations,
            real_batch=self.real_batch,
            real_points=self.real_points,
            statistics_batch=self.statistics_batch,
            seed=seed,
            name=self.name,
        )

    def plan(self, there: Sequence[int], num_points: int, budget: Budget) -> tuple[list[int], list[int]]:
        """What will be made of classes with that many clouds, before anything is computed.

        Args:
            there: real clouds of each class.
            num_points: of the real clouds.

        Returns:
            Each class's share in bytes, and how many clouds will be picked of it.

        Raises:
            InputError: if the budget or the parameterization does not fit.
        """
        shares = budget.shares(there, num_points, self.least_bytes(num_points))
        picks = picks_within(self.parameterization, shares, there, num_points)
        self.parameterization.check(sum(picks), sum(shares), num_points)
        check_resolution(self.name, self.objective, self.parameterization, num_points, self.real_points)
        return shares, picks

    def size(self, there: Mapping[int, int], num_points: int, budget: Budget, *, parts: bool = False) -> Size:
        """How large the set will be, before anything is computed.

        Args:
            there: real clouds of each class, by label, ascending.
            num_points: of the real clouds.
            parts: whether they have parts, which the set keeps.

        Raises:
            InputError: as :meth:`plan`.
        """
        planned = self.plan(list(there.values()), num_points, budget)
        shares, picks = (dict(zip(there, each, strict=True)) for each in planned)
        return self.parameterization.size(picks, shares, num_points, parts)

    def least_bytes(self, num_points: int) -> int:
        """Bytes with which a class starts from at least one cloud."""
        return least_bytes(self.parameterization, num_points)


def _finish(synthetic: SyntheticSet, classes: list[int], shares: list[int]) -> SyntheticSet:
    """On the CPU, with the labels of the data and the bytes that were allowed."""
    synthetic = synthetic.cpu()
    synthetic.labels.copy_(torch.tensor(classes)[synthetic.labels])
    if synthetic.initial is not None:
        synthetic.initial = replace(synthetic.initial.to("cpu"), labels=synthetic.labels.clone())
    synthetic.info["budget_nbytes"] = sum(shares)
    return synthetic
