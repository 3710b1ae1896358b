"""Sizes: what a set will hold before it is made, and what shrinking leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from cl3d.distill.synthetic import too_small


class Size(Protocol):
    """How much of each class a set holds; a value that shrinks as the set does."""

    @property
    def clouds(self) -> int:
        """How many clouds the set decodes to."""

    def shrunk(self, shares: Mapping[int, int]) -> Self:
        """That of :meth:`~cl3d.distill.SyntheticSet.shrink`; itself where it fits already.

        Raises:
            InputError: if not one cloud of each class fits.
        """


@dataclass(frozen=True)
class Units:
    """A set of units of equally many bytes: clouds, groups of anchors, shapes.

    Attributes:
        held: units of each class.
        each: bytes of one.
        decoded: how many clouds a class decodes to that has so many units.
    """

    held: Mapping[int, int]
    each: int
    decoded: Callable[[int], int] = int

    @property
    def clouds(self) -> int:
        """See :class:`Size`."""
        return sum(map(self.decoded, self.held.values()))

    def shrunk(self, shares: Mapping[int, int]) -> Units:
        """As many units of each class as its share pays for; see :class:`Size`."""
        if self.each * sum(self.held.values()) <= sum(shares[label] for label in self.held):
            return self
        fitting = {label: shares[label] // self.each for label in self.held}
        if min(fitting.values()) < 1:
            raise too_small(min(shares[label] for label in self.held), self.each)
        return replace(self, held={label: min(self.held[label], count) for label, count in fitting.items()})

    def of_classes(self, classes: Sequence[int]) -> Units:
        """That of the part of some classes."""
        return replace(self, held={label: self.held[label] for label in classes})
