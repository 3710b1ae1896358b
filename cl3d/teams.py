"""Teams: which process works at what, and means over batches that several processes hold parts of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, distributed

from cl3d.distributed import at_end, rank, world


@dataclass(frozen=True)
class Work:
    """A unit of work of this process, such as a class, or its part of one.

    Attributes:
        unit: which one, from 0.
        part, parts: which part, of how many; each process of the unit's team has one.
        group: the team, as torch knows it; None where there is one part.
    """

    unit: int
    part: int = 0
    parts: int = 1
    group: Any = None

    def of(self, rows: Tensor) -> Tensor:
        """This process's part of the unit's rows; the first row, which is another's, where none is left."""
        part = rows.tensor_split(self.parts)[self.part]
        return part if len(part) else rows[:1]

    def share(self, rows: int) -> float:
        """Of so many rows, how large a part this process has; 0 where none is left."""
        return len(range(rows)[self.part :: self.parts]) / rows


def own_work(units: int, divisible: bool) -> list[Work]:
    """What this process does: whole units in turn; a part of one where processes outnumber units.

    Args:
        divisible: whether a unit can be done in parts; processes that are left over do nothing otherwise.
    """
    return [
        Work(unit, part, parts_of(unit, units, divisible), _team(unit, units, divisible))
        for unit in range(units)
        for part in range(parts_of(unit, units, divisible))
        if owner(unit, part, units) == rank()
    ]


def parts_of(unit: int, units: int, divisible: bool) -> int:
    """How many processes do the unit."""
    return len(range(unit, world(), units)) if divisible and world() > units else 1


def owner(unit: int, part: int, units: int) -> int:
    """The rank that does a part of a unit."""
    return (unit + part * units) % world()


def team_mean(tensors: Sequence[Tensor], share: float, work: Work) -> list[Tensor]:
    """Means over all of a unit's rows, from those over the parts; any order of derivative may be taken.

    All tensors travel as one, so that a process whose part is empty takes as much part in it as the others.

    Args:
        tensors: means over this process's part.
        share: of the rows that this part has.

    Returns:
        Tensors of the same shapes, the same bits in the whole team.
    """
    total: Tensor = _Sum.apply(torch.cat([share * t.flatten() for t in tensors]), work.group)
    parts = total.split([t.numel() for t in tensors])
    return [part.view_as(t) for part, t in zip(parts, tensors, strict=True)]


class _Sum(torch.autograd.Function):
    """The sum of a team's tensors. A cotangent's way back is the sum of the team's cotangents.

    Gradients that ``autograd.grad`` takes are values like others here: no wrapper that waits for ``.grad``
    fields, as DistributedDataParallel does, would add them up.
    """

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = tensor.clone()
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        total: Tensor = _Sum.apply(cotangent, ctx.group)
        return total, None


def _team(unit: int, units: int, divisible: bool) -> Any:
    """The processes of a unit as a group, where it has several."""
    if parts_of(unit, units, divisible) == 1:
        return None
    return _groups(units, distributed.group.WORLD)[unit]


@cache
def _groups(units: int, whole: Any) -> list[Any]:
    """A group for each unit; made by all processes at once."""
    del whole  # another run's groups are others
    return [distributed.new_group(list(range(unit, world(), units))) for unit in range(units)]


at_end(_groups.cache_clear)
