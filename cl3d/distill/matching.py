"""Matching: an objective's loss over all classes, and its gradient, by however many processes there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.objectives import LearningObjective, MatchesMeans, Objective
from cl3d.distributed import merge_rows
from cl3d.models import Net, SegmentationNet
from cl3d.teams import Work, own_work, owner, parts_of, team_mean


def match(
    objective: Objective | LearningObjective, net: Net, real: Sequence[PointClouds], now: PointClouds
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

    Returns:
        The loss, summed over classes, and its gradient with respect to the decoded points, (m, p, 3); that
        with respect to what the objective learns is left in its parameters' ``.grad``.
    """
    own = list(objective.parameters()) if isinstance(objective, LearningObjective) else []
    whole = bool(own) or isinstance(net, SegmentationNet)
    means = objective if isinstance(objective, MatchesMeans) and not whole else None
    units, divisible = len(real), means is not None
    members = [((now.labels == unit) | objective.joint).nonzero().squeeze(1) for unit in range(units)]
    losses, gradient = torch.zeros(units, dtype=torch.float64), torch.zeros_like(now.points)
    learnt = [p.new_zeros(units, *p.shape) for p in own]
    for work in own_work(units, divisible):
        mine = work.of(members[work.unit])
        leaf = now.points.detach()[mine].requires_grad_()
        for parameter in own:
            parameter.grad = None
        synthetic = now[mine].with_points(leaf)
        if means is None or work.parts == 1:
            loss = objective(net, real[work.unit], synthetic)
        else:
            loss = _in_team(means, net, real[work.unit], synthetic, len(members[work.unit]), work)
        # these alone: the network's .grad stays as it was; and once, not once for each of a team
        loss.backward(torch.full_like(loss, 1 / work.parts), inputs=[leaf, *own])
        assert leaf.grad is not None
        losses[work.unit], gradient[mine] = float(loss.detach()), leaf.grad
        for rows, parameter in zip(learnt, own, strict=True):
            assert parameter.grad is not None
            rows[work.unit] = parameter.grad
    _gather(losses, gradient, learnt, members, divisible)
    for rows, parameter in zip(learnt, own, strict=True):
        parameter.grad = reduce(torch.add, rows.unbind())
    return sum(losses.tolist()), gradient


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


def _gather(
    losses: Tensor, gradient: Tensor, learnt: list[Tensor], members: list[Tensor], divisible: bool
) -> None:
    """Fills in what other processes have found."""
    units = len(members)
    of_rows = torch.zeros(len(gradient), dtype=torch.int64)
    for unit, rows in enumerate(members):
        for part, some in enumerate(rows.cpu().tensor_split(parts_of(unit, units, divisible))):
            of_rows[some] = owner(unit, part, units)
    of_units = torch.tensor([owner(unit, 0, units) for unit in range(units)])
    merge_rows(gradient, of_rows)
    for rows in (losses, *learnt):
        merge_rows(rows, of_units)
