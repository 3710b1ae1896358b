"""What a memory will hold, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from cl3d.continual.reservoir import check_total
from cl3d.distill import Budget
from cl3d.distill.condenser import Condenser


@dataclass(frozen=True)
class MemoryPlan:
    """The shares of a stream's classes, and how many clouds they come to.

    Attributes:
        condenser: fills the memory.
        budget: of the memory.
        num_points: of the real clouds.
        there: real clouds of each class, in the order in which the classes come.
        classes_per_step: how many of them each step brings.
    """

    condenser: Condenser
    budget: Budget
    num_points: int
    there: Sequence[int]
    classes_per_step: Sequence[int]

    def steps(self) -> list[tuple[list[int], list[int]]]:
        """For each step its classes' shares in bytes and how many clouds will be picked of each.

        Both in the order in which the classes come; see :meth:`Condenser.plan`. Under a ``total`` these are
        the shares when the step comes, which shrink afterwards.

        Raises:
            InputError: if a share is below one cloud, at the last step at the latest, or the
                parameterization does not fit.
        """
        check_total(self.condenser, self.budget)
        last: list[int] = []
        if self.budget.nbytes is not None or self.budget.total is not None:
            # its message names the bytes of the whole memory
            least = self.condenser.least_bytes(self.num_points)
            last = self.budget.shares(self.there, self.num_points, least)
        steps, seen = [], 0
        for size in self.classes_per_step:
            step = slice(seen, seen + size)
            part = self.budget.part(seen, size, len(self.there), self.num_points)
            steps.append(self.condenser.plan(self.there[step], self.num_points, part))
            if self.budget.total is not None:
                self.condenser.plan(self.there[step], self.num_points, Budget(nbytes=sum(last[step])))
            seen += size
        return steps

    def clouds(self) -> list[int]:
        """About how many decoded clouds the memory holds after each step."""
        if self.budget.total is None:
            return list(accumulate(self._decoded(picks) for _, picks in self.steps()))
        seen = accumulate(self.classes_per_step)
        plans = [self.condenser.plan(self.there[:k], self.num_points, self.budget) for k in seen]
        return [self._decoded(picks) for _, picks in plans]

    def _decoded(self, picks: Sequence[int]) -> int:
        return sum(map(self.condenser.parameterization.decoded, picks))
