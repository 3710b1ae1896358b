"""The methods as their papers run them, with two ways to take an update: the library's and the authors'."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import authors
import torch
from torch import Tensor
from torch.utils.data import TensorDataset
from workload import SEED, classes_of

from cl3d.clouds import PointClouds, normalize
from cl3d.distill import Budget, Condenser, Networks, presets
from cl3d.distill.loop import Loop
from cl3d.distill.networks import BuildModel
from cl3d.distill.objectives import GradientMatching, SortedFeatureMatching
from cl3d.distill.optimizers import SGD
from cl3d.distill.parameterizations.generator import Generator
from cl3d.distill.surrogates import Fresh, Trained
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training
from cl3d.models import PointNet, pointnet_light
from cl3d.progress import silent
from cl3d.random import generator

SIDES = ("cl3d", "unfused", "authors")
WIDEST = 128 * 1024
"""Weights of the layer before the pool, in both networks."""


@dataclass(frozen=True)
class Case:
    """A method as its paper runs it.

    Attributes:
        condenser: the library's.
        theirs: the update of its authors.
        model: takes ``fused=``.
        ppc: raw clouds per class that its bytes are worth.
        classes: None is what the command asks for.
    """

    condenser: Condenser
    theirs: authors.Update
    model: Callable[..., Any]
    ppc: int = 1
    classes: int | None = None

    @property
    def searched(self) -> bool:
        """Whether all points are searched for each channel's largest; sorted features want all of them."""
        return not isinstance(self.condenser.objective, SortedFeatureMatching)


LIGHT = Trained(inner=1 << 30, training=Training(epochs=1, batch_size=256, optimizer=SGD(lr=1e-3)))
"""A network that goes on learning from the set: DD3D's inner loop."""

PCC = replace(
    presets.pcc(), objective=GradientMatching("layer_cosine"), surrogates=Fresh(), schedule="constant"
)

CASES = {
    "dm": Case(replace(presets.dm(), real_batch=32), authors.dm, PointNet),
    "pcc": Case(replace(PCC, real_batch=32), authors.gradients(authors.layer_cosine), PointNet),
    "pcc_32": Case(
        replace(PCC, real_batch=8), authors.gradients(authors.layer_cosine), PointNet, ppc=32, classes=2
    ),
    "dd3d": Case(
        replace(
            presets.dd3d_paper(),
            parameterization=Generator(codes_per_class=1),
            surrogates=LIGHT,
            schedule="constant",
        ),
        authors.gradients(authors.row_cosine),
        pointnet_light,
    ),
    "sadm": Case(presets.sadm(), authors.sadm, PointNet),
    "morphing": Case(presets.morphing(), authors.morphing, PointNet),
    "morphing_2": Case(presets.morphing(), authors.morphing, PointNet, classes=2),
}
"""Two classes of ``pcc_32``, with 32 clouds each, and of ``morphing_2``: memory holds the authors' side."""


@dataclass(frozen=True)
class Workload:
    """One case at one size."""

    case: Case
    classes: int
    points: int
    device: str

    def side(self, name: str) -> Callable[[], float]:
        """One side, started: each call is its next update, and returns the loss before it."""
        if name == "authors":
            return self._authors()
        return self._library(fused=name == "cl3d")

    def _networks(self, fused: bool) -> Networks:
        build: BuildModel = functools.partial(self.case.model, fused=fused)
        return Networks(build, self.classes, torch.device(self.device), SEED)

    def _real(self) -> PointClouds:
        return classes_of(self.classes, self.case.condenser.real_batch, self.points).to(
            torch.device(self.device)
        )

    def _started(self) -> SyntheticSet:
        """The synthetic set, from clouds that are not among the real ones."""
        condenser, budget = self.case.condenser, Budget(ppc=self.case.ppc)
        shares, picks = condenser.plan([1 << 30] * self.classes, self.points, budget)
        each = max(picks[0], 1)
        picked = classes_of(self.classes, each + condenser.real_batch, self.points)
        picked = picked[torch.arange(len(picked)) % (each + condenser.real_batch) < each]
        start = condenser.parameterization.start(picked, dict(enumerate(shares)), SEED)
        return start.to(torch.device(self.device))

    def _library(self, fused: bool) -> Callable[[], float]:
        condenser, networks, real = self.case.condenser, self._networks(fused), self._real()
        assert condenser.objective is not None
        loop = Loop(
            synthetic=self._started(),
            real=real,
            classes=real.classes,
            networks=networks,
            objective=condenser.objective,
            surrogates=condenser.surrogates.prepare(real, networks, SEED, silent),
            optimizer=condenser.optimizer,
            schedule=condenser.schedule,
            iterations=0,
            real_batch=condenser.real_batch,
            real_points=None,
            statistics_batch=condenser.statistics_batch,
            seed=SEED,
            name="benchmark",
        )

        def step() -> float:
            loop.iterations += 1
            loop.run(silent, None, torch.empty(0))
            return loop.losses[-1]

        return step

    def _authors(self) -> Callable[[], float]:
        condenser, networks = self.case.condenser, self._networks(fused=False)
        synthetic, real = self._started(), self._real()
        optimizer = condenser.optimizer(synthetic.parameter_groups())
        carried, done = isinstance(condenser.surrogates, Trained), 0
        net = networks.draw("surrogate", 0)

        def step() -> float:
            nonlocal net, done
            decoded = synthetic.decode(generator(SEED, "decode", done))
            if carried and done:
                seen = TensorDataset(normalize(decoded.points.detach()), decoded.labels)
                authors.train(net, seen, 1, 256, torch.optim.SGD(net.parameters(), lr=1e-3))
            elif done:
                net = networks.draw("surrogate", done)
            batches = [self._batch(real, label, done) for label in range(self.classes)]
            authors.freeze(net, torch.cat([batch[: condenser.statistics_batch] for batch in batches]))
            optimizer.zero_grad()
            loss = self.case.theirs(net, batches, decoded.points, decoded.labels)
            optimizer.step()
            done += 1
            return loss

        return step

    def _batch(self, real: PointClouds, label: int, iteration: int) -> Tensor:
        """The real clouds that the library draws."""
        mine = real.points[real.labels == label]
        order = torch.randperm(len(mine), generator=generator(SEED, "real-batch", label, iteration))
        return mine[order.to(mine.device)]

    @property
    def floor(self) -> float:
        """Flops of the widest layer's product with all points that an update looks at."""
        condenser = self.case.condenser
        synthetic = self._started().decode()
        points = self.classes * condenser.real_batch * self.points + synthetic.points.shape[:2].numel()
        return 2.0 * WIDEST * points
