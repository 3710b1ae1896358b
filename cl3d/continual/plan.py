"""What a memory will hold, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cl3d.continual.benchmark import parted
from cl3d.continual.reservoir import check_total
from cl3d.distill import Budget, Generator, Reservoir
from cl3d.distill.condenser import Condenser
from cl3d.distill.parameterizations.sizes import Size, Units


@dataclass(frozen=True)
class MemoryPlan:
    """The shares of a stream's classes, and how many clouds they come to.

    Attributes:
        condenser: fills the memory.
        budget: of the memory.
        num_points: of the real clouds.
        there: real clouds of each class by label, in the order in which the classes come.
        classes_per_step: how many of them each step brings.
        parts: whether the memory keeps the parts of clouds.
        joint: whether all classes are condensed together beforehand.
    """

    condenser: Condenser
    budget: Budget
    num_points: int
    there: Mapping[int, int]
    classes_per_step: Sequence[int]
    parts: bool = False
    joint: bool = False

    def steps(self) -> list[tuple[list[int], list[int]]]:
        """For each step its classes' shares in bytes and how many clouds will be picked of each.

        Both by label; see :meth:`Condenser.plan`. Under a ``total`` these are the shares when the step comes,
        which shrink afterwards.

        Raises:
            InputError: if a share is below one cloud, at the last step at the latest, or the
                parameterization does not fit.
        """
        check_total(self.condenser, self.budget)
        last: list[int] = []
        if self.budget.nbytes is not None or self.budget.total is not None:
            # its message names the bytes of the whole memory
            least = self.condenser.least_bytes(self.num_points)
            last = self.budget.shares(list(self.there.values()), self.num_points, least)
        steps, seen = [], 0
        for there, part in self._parts():
            counts, step = list(there.values()), slice(seen, seen + len(there))
            steps.append(self.condenser.plan(counts, self.num_points, part))
            if self.budget.total is not None:
                self.condenser.plan(counts, self.num_points, Budget(nbytes=sum(last[step])))
            seen += len(there)
        return steps

    def made(self) -> list[Size]:
        """What the set of each step holds when it is made.

        Raises:
            InputError: as :meth:`steps`.
        """
        if not self.joint:
            return [
                self.condenser.size(there, self.num_points, part, parts=self.parts)
                for there, part in self._parts()
            ]
        everything = {label: self.there[label] for label in sorted(self.there)}
        whole = self.condenser.size(everything, self.num_points, self.budget, parts=self.parts)
        assert isinstance(whole, Units)  # others cannot be condensed jointly
        return [whole.of_classes(group) for group in self._groups]

    def clouds(self) -> list[int]:
        """How many decoded clouds the memory holds after each step: exactly, where :attr:`exact` says so.

        Raises:
            InputError: as :meth:`steps`, and if what a step makes cannot shrink to its later shares.
        """
        if isinstance(self.condenser, Reservoir):  # it never has an empty slot if a cloud has come for it
            assert self.budget.total is not None
            slots = self.condenser.slots(self.budget.total, self.num_points)
            come = accumulate(sum(there.values()) for there, _ in self._parts())
            return [min(slots, clouds) for clouds in come]
        if self.budget.total is None:
            return list(accumulate(size.clouds for size in self.made()))
        held, after = list[Size](), list[int]()
        for step, size in enumerate(self.made()):
            held = [*self._shrunk(held, step), size]
            after.append(sum(one.clouds for one in held))
        return after

    @property
    def exact(self) -> bool:
        """Whether :meth:`clouds` are those of ``results.json``.

        They are not certain for generators of clouds with parts under a ``total``: a generator stores where
        each part of a class ends, and which parts a class's clouds have is known when they come.
        """
        cut = self.parts and isinstance(self.condenser.parameterization, Generator)
        return not (cut and self.budget.total is not None)

    def _shrunk(self, held: Sequence[Size], step: int) -> list[Size]:
        """What :class:`CondensedBuffer` leaves of earlier sets when a step comes under a ``total``."""
        seen = [label for group in self._groups[: step + 1] for label in group]
        shares = self.budget.shares([1] * len(seen), self.num_points, least=1)
        by_label = dict(zip(seen, shares, strict=True))
        groups = zip(held, self._groups, strict=False)
        return [size.shrunk({label: by_label[label] for label in group}) for size, group in groups]

    def _parts(self) -> list[tuple[dict[int, int], Budget]]:
        """The real clouds of each step's classes, by label, and its part of the budget."""
        parts, seen = [], 0
        for group in self._groups:
            part = self.budget.part(seen, len(group), len(self.there), self.num_points)
            parts.append(({label: self.there[label] for label in group}, part))
            seen += len(group)
        return parts

    @property
    def _groups(self) -> list[list[int]]:
        """The classes of each step, as their shares are given to them: by label."""
        return [sorted(group) for group in parted(list(self.there), self.classes_per_step)]
