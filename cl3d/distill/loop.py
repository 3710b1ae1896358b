"""The loop: a set is optimised one iteration after the other, and can be left and taken up again."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, concatenate, normalize
from cl3d.distill.checkpoint import Checkpoint, State, optimizer_tensors, restore_optimizer
from cl3d.distill.chunks import Chunks
from cl3d.distill.matching import match
from cl3d.distill.networks import Networks
from cl3d.distill.objectives import Alternates, Begins, LearningObjective, Objective
from cl3d.distill.optimizers import Optimizer, rate_factor, scale_rates
from cl3d.distill.statistics import frozen_statistics
from cl3d.distill.surrogates import Source
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distributed import agree
from cl3d.errors import InputError
from cl3d.models import Net
from cl3d.progress import Progress
from cl3d.random import fold, generator


class Diverged(InputError):
    """An optimisation ran off; the set before it did is in ``synthetic``."""

    def __init__(self, message: str, synthetic: SyntheticSet) -> None:
        super().__init__(message)
        self.synthetic = synthetic


@dataclass(eq=False)
class Loop:
    """One optimisation of one set; see :class:`cl3d.distill.condenser.Condenser` for its settings.

    What an iteration draws hangs on the seed and the iteration alone, so the tensors of :meth:`state`
    are all that must be kept.

    Attributes:
        synthetic: the set, changed in place.
        real: the real clouds, labelled 0, 1, ...
        classes: what these labels stand for.
    """

    synthetic: SyntheticSet
    real: PointClouds
    classes: list[int]
    networks: Networks
    objective: Objective
    surrogates: Source
    optimizer: Optimizer
    schedule: str
    iterations: int
    real_batch: int
    real_points: int | None
    statistics_batch: int
    seed: int
    name: str
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = _shown(self.synthetic)
        self._learning = self._begin()
        own = [] if self._learning is None else self._learning.parameter_groups()
        self._optimizer = self.optimizer([*self.synthetic.parameter_groups(), *own])
        self._members = [(self.real.labels == k).nonzero().squeeze(1) for k in range(len(self.classes))]
        self._net: Net | None = None
        # where launching an operation costs more than doing it, classes are taken together
        self._chunks = Chunks("classes") if self.networks.device.type == "cuda" else None
        self._good: dict[str, Tensor] = {}

    def run(self, progress: Progress, checkpoint: Checkpoint | None, picked: Tensor) -> None:
        """Runs all iterations that are left.

        Args:
            checkpoint: written now and then, when interrupted and in the end.
            picked: kept with the checkpoint, so that clouds need not be picked again.

        Raises:
            Diverged: if the loss or the points are not finite.
        """
        whole = None  # within a step set, optimizer and network are at odds: the state before it
        with progress("condensing", self.iterations, len(self.losses), each="iteration") as advance:
            try:
                while len(self.losses) < self.iterations:
                    whole = None if checkpoint is None else self.state(picked).clone()
                    self._step()
                    whole = None
                    advance(loss=self.losses[-1], moved=float(self._moved().mean()))
                    if checkpoint is not None and (checkpoint.due or len(self.losses) == self.iterations):
                        checkpoint.write(self.state(picked))
            except KeyboardInterrupt:
                if checkpoint is not None:
                    checkpoint.write(self.state(picked) if whole is None else whole)
                raise
        if not _finite(self.synthetic.decode().points):
            raise self._diverged("the last update exploded")
        self.synthetic.info = self.summary()

    def state(self, picked: Tensor) -> State:
        """All that decides how the optimisation goes on."""
        groups: dict[str, dict[str, Tensor]] = {
            "set": self.synthetic.state_dict(),
            "good": self._good,
            "optimizer": optimizer_tensors(self._optimizer),
            "objective": {} if self._learning is None else self._learning.state_dict(),
            "net": self._net.state_dict() if self._net is not None and self.surrogates.carries_net else {},
        }
        tensors = {f"{group}.{name}": t for group, ts in groups.items() for name, t in ts.items()}
        return State(tensors | {"picked": picked}, {"losses": list(self.losses)})

    def restore(self, state: State) -> None:
        """Goes back to a :meth:`state` of the same optimisation."""
        self.losses = [float(loss) for loss in state.facts["losses"]]
        groups: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for key, tensor in state.tensors.items():
            group, _, name = key.partition(".")
            groups[group][name] = tensor
        self.synthetic.load_state_dict(groups["set"])
        self._good = groups["good"]
        restore_optimizer(self._optimizer, groups["optimizer"])
        if self._learning is not None:
            self._learning.load_state_dict(groups["objective"])
        if groups["net"]:
            self._net = self.networks.draw("restored")
            self._net.load_state_dict(groups["net"])

    def summary(self) -> dict[str, Any]:
        """What to know of it in the end; distances are in radii of the clouds' sphere."""
        moved = self._moved()
        tenth = max(1, len(self.losses) // 10)
        return {
            "iterations": len(self.losses),
            "loss_first": sum(self.losses[:tenth]) / tenth,
            "loss_last": sum(self.losses[-tenth:]) / tenth,
            "moved_mean": float(moved.mean()),
            "moved_max": float(moved.max()),
            **({} if self._learning is None else self._learning.summary()),
        }

    def _begin(self) -> LearningObjective | None:
        """What learns along with the set, if the objective has anything to learn."""
        learning = self.objective.begin() if isinstance(self.objective, Begins) else None
        return None if learning is None else learning.to(self.networks.device)

    def _moved(self) -> Tensor:
        """How far each point is from where it started, (m, p)."""
        moved: Tensor = (_shown(self.synthetic) - self._before).norm(dim=-1)
        return moved

    def _step(self) -> None:
        iteration = len(self.losses)
        now = self.synthetic.decode(generator(self.seed, "decode", iteration))
        seen = now.with_points(normalize(now.points.detach()))
        self._net = self.surrogates.at(
            iteration, self._net, seen, self.networks, fold(self.seed, "surrogates")
        )
        scale_rates(self._optimizer, rate_factor(self.schedule, iteration, self.iterations))
        self._optimizer.zero_grad(set_to_none=True)
        loss, gradient = self._match(self._objective(iteration), self._net, self._batches(iteration), now)
        if not (math.isfinite(loss) and _finite(now.points)):
            raise self._diverged(f"the loss is {loss} at iteration {iteration}")
        self._good = {name: t.detach().clone() for name, t in self.synthetic.state_dict().items()}
        self._update(now.points, gradient)
        self.losses.append(loss)

    def _update(self, points: Tensor, gradient: Tensor) -> None:
        """Moves the set, given the loss's gradient with respect to the decoded points."""
        points.backward(gradient)
        self._optimizer.step()
        agree(parameter for group in self._optimizer.param_groups for parameter in group["params"])

    def _batches(self, iteration: int) -> list[PointClouds]:
        """Real clouds of each class."""
        batches = []
        for label, mine in zip(self.classes, self._members, strict=True):
            draws = generator(self.seed, "real-batch", label, iteration)
            order = torch.randperm(len(mine), generator=draws)[: self.real_batch]
            batch = self.real[mine[order.to(mine.device)]]
            batches.append(batch if self.real_points is None else batch.resample(self.real_points, draws))
        return batches

    def _objective(self, iteration: int) -> Objective | LearningObjective:
        """What is optimised at an iteration."""
        if self._learning is not None:
            return self._learning
        return self.objective.at(iteration) if isinstance(self.objective, Alternates) else self.objective

    def _match(
        self,
        objective: Objective | LearningObjective,
        net: Net,
        batches: list[PointClouds],
        now: PointClouds,
    ) -> tuple[float, Tensor]:
        """Loss and its gradient with respect to the decoded points, class by class unless it is joint."""
        reference = concatenate([batch[: self.statistics_batch] for batch in batches])
        with frozen_statistics(net, reference):
            real = [concatenate(batches)] if objective.joint else batches
            return match(objective, net, real, now, self._chunks)

    def _diverged(self, what: str) -> Diverged:
        if self._good:
            self.synthetic.load_state_dict(self._good)
            self.synthetic.info = self.summary()
        advice = "lower the optimizer's learning rate"
        if not self.losses:  # which has not been used yet
            advice = "nothing has been updated yet, so look at the data, or give another model or objective"
        return Diverged(f"{self.name}: {what}: {advice}", self.synthetic)


def _finite(points: Tensor) -> bool:
    """Whether the points are usable: normalising would hide that they overflow."""
    return bool(torch.isfinite(points.detach().norm()))


def _shown(synthetic: SyntheticSet) -> Tensor:
    """The points as whoever trains on the set will see them."""
    return normalize(synthetic.decode().points.detach())
