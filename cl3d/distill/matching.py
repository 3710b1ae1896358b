"""Matching: an objective's loss over all classes, and its gradient, by however many processes there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial, reduce

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, concatenate
from cl3d.distill.chunks import Chunks
from cl3d.distill.objectives import LearningObjective, MatchesMeans, MatchesTogether, Objective
from cl3d.distributed import merge_rows, world
from cl3d.models import Backbone, Net, SegmentationNet
from cl3d.teams import Work, own_work, owner, parts_of, team_mean


def match(
    objective: Objective | LearningObjective,
    net: Net,
    real: Sequence[PointClouds],
    now: PointClouds,
    chunks: Chunks | None = None,
) -> tuple[float, Tensor]:
    """Compares synthetic with real clouds class by class, the classes shared out over the processes.

    What each has found is gathered, and summed in the order of the classes: the outcome does not hang on how
    many processes there are, to the bit on CPUs of one kind. Where there are more of them than classes, and
    the objective compares means (:class:`~cl3d.distill.objectives.MatchesMeans`), a class's clouds are shared
    out as well, real and synthetic ones; that changes the rounding.

    Args:
        net: see :class:`~cl3d.distill.Objective`; the same in all processes.
        real: clouds of each class; or of all at once, where the objective is joint.
        now: the decoded set, labelled 0, 1, ...
        chunks: how many classes are taken together, where objective and network allow it
            (:class:`~cl3d.distill.objectives.MatchesTogether`); None takes one after the other. The outcome
            is the same up to rounding.

    Returns:
        The loss, summed over classes, and its gradient with respect to the decoded points, (m, p, 3); that
        with respect to what the objective learns is left in its parameters' ``.grad``.
    """
    matching = _Matching(objective, net, real, now)
    works = own_work(len(real), matching.means is not None)
    if chunks is not None and matching.together is not None and all(work.parts == 1 for work in works):
        for alike in matching.alike(works):
            chunks.work(alike, partial(matching.do_together, matching.together))
    else:
        for work in works:
            matching.do(work)
    return matching.gathered()


class _Matching:
    """What this process has found so far.

    Attributes:
        means: the objective, if it can take a class in parts.
        together: the objective, if it can take several classes in one go.
    """

    def __init__(
        self,
        objective: Objective | LearningObjective,
        net: Net,
        real: Sequence[PointClouds],
        now: PointClouds,
    ) -> None:
        self.objective, self.net, self.real, self.now = objective, net, real, now
        self.own = list(objective.parameters()) if isinstance(objective, LearningObjective) else []
        whole = bool(self.own) or isinstance(net, SegmentationNet)
        self.means = objective if isinstance(objective, MatchesMeans) and not whole else None
        batchable = isinstance(net, Backbone) and net.batchable and not objective.joint
        self.together = objective if isinstance(objective, MatchesTogether) and batchable else None
        units = len(real)
        self.members = _members(now.labels, units)
        self.losses, self.gradient = torch.zeros(units, dtype=torch.float64), torch.zeros_like(now.points)
        self.learnt = [p.new_zeros(units, *p.shape) for p in self.own]

    def do(self, work: Work) -> None:
        """One class, or this process's part of it."""
        mine = work.of(self.members[work.unit])
        for parameter in self.own:
            parameter.grad = None
        synthetic, leaf = self._leaf(mine)
        if self.means is None or work.parts == 1:
            loss = self.objective(self.net, self.real[work.unit], synthetic)
        else:
            clouds = len(self.members[work.unit])
            loss = _in_team(self.means, self.net, self.real[work.unit], synthetic, clouds, work)
        # these alone: the network's .grad stays as it was; and once, not once for each of a team
        loss.backward(torch.full_like(loss, 1 / work.parts), inputs=[leaf, *self.own])
        assert leaf.grad is not None
        self.losses[work.unit], self.gradient[mine] = float(loss.detach()), leaf.grad
        for rows, parameter in zip(self.learnt, self.own, strict=True):
            assert parameter.grad is not None
            rows[work.unit] = parameter.grad

    def alike(self, works: Sequence[Work]) -> list[list[int]]:
        """This process's classes, those together that have as many real and as many synthetic clouds."""
        kinds = defaultdict(list)
        for work in works:
            kinds[len(self.real[work.unit]), len(self.members[work.unit])].append(work.unit)
        return list(kinds.values())

    def do_together(self, objective: MatchesTogether, units: Sequence[int]) -> None:
        """Several classes that are alike."""
        mine = torch.cat([self.members[unit] for unit in units])
        synthetic, leaf = self._leaf(mine)
        real = concatenate([self.real[unit] for unit in units])
        losses = objective.losses(self.net, real, synthetic, len(units))
        losses.sum().backward(inputs=[leaf])
        assert leaf.grad is not None
        self.losses[torch.tensor(units)] = losses.detach().cpu().double()
        self.gradient[mine] = leaf.grad

    def gathered(self) -> tuple[float, Tensor]:
        """The loss over all classes and its gradient, also of what other processes have found."""
        _gather(self.losses, self.gradient, self.learnt, self.members, self.means is not None)
        for rows, parameter in zip(self.learnt, self.own, strict=True):
            parameter.grad = reduce(torch.add, rows.unbind())
        return sum(self.losses.tolist()), self.gradient

    def _leaf(self, rows: Tensor) -> tuple[PointClouds, Tensor]:
        """Those synthetic clouds, and their points as what is differentiated by."""
        leaf = self.now.points.detach()[rows].requires_grad_()
        return self.now[rows].with_points(leaf), leaf


def _in_team(
    objective: MatchesMeans, net: Net, real: PointClouds, synthetic: PointClouds, clouds: int, work: Work
) -> Tensor:
    """The loss of a class whose clouds are shared out.

    Args:
        real: all of them, of which this process takes its part.
        synthetic: this process's part.
        clouds: synthetic ones in all.
    """
    wanted = objective.means(net, real[work.of(torch.arange(len(real)))], differentiable=False)
    found = objective.means(net, synthetic, differentiable=True)
    return objective.compare(
        team_mean(wanted, work.share(len(real)), work), team_mean(found, work.share(clouds), work)
    )


def _members(labels: Tensor, units: int) -> list[Tensor]:
    """The rows of each class, ascending; of all, where there is one unit of work."""
    if units == 1:
        return [torch.arange(len(labels), device=labels.device)]
    order, sizes = labels.argsort(stable=True), torch.bincount(labels, minlength=units)
    return list(order.split(sizes.tolist()))


def _gather(
    losses: Tensor, gradient: Tensor, learnt: list[Tensor], members: list[Tensor], divisible: bool
) -> None:
    """Fills in what other processes have found."""
    if world() == 1:
        return
    units = len(members)
    of_rows = torch.zeros(len(gradient), dtype=torch.int64)
    for unit, rows in enumerate(members):
        for part, some in enumerate(rows.cpu().tensor_split(parts_of(unit, units, divisible))):
            of_rows[some] = owner(unit, part, units)
    of_units = torch.tensor([owner(unit, 0, units) for unit in range(units)])
    merge_rows(gradient, of_rows)
    for rows in (losses, *learnt):
        merge_rows(rows, of_units)
