"""The contract of a parameterization: how a synthetic set is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from cl3d.clouds import PointClouds
from cl3d.distill.parameterizations.sizes import Size
from cl3d.distill.synthetic import SyntheticSet
from cl3d.progress import Progress, silent


class Parameterization(Protocol):
    """Sizes a set to a byte budget and starts it from real clouds.

    One whose sets keep the parts of clouds that have them says ``takes_parts = True``.
    """

    @property
    def starts_from_picks(self) -> bool:
        """Whether the set before the first iteration shows the picked clouds."""

    def size(
        self, picks: Mapping[int, int], shares: Mapping[int, int], num_points: int, parts: bool = False
    ) -> Size:
        """Exactly what :meth:`start` will make, without making it.

        Args:
            picks, shares: picked clouds and bytes of each class.
            num_points: of the real clouds.
            parts: whether these have parts, which the set keeps.
        """

    def decoded_points(self, num_points: int) -> int:
        """How many points a decoded cloud has, of real clouds of ``num_points``."""

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses what :meth:`start` would, before any long work.

        Args:
            picks: how many clouds will be picked in all.
            nbytes: all classes' bytes.
            num_points: of the real clouds.

        Raises:
            InputError: saying what would fit.
        """

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """How many real clouds of ``num_points`` points a class with ``nbytes`` bytes starts from."""

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> SyntheticSet:
        """The set before the first iteration.

        Args:
            picked: the initializer's clouds, in class order.
            shares: bytes for each class; the set's ``nbytes`` never exceeds their sum.
            seed: for what is drawn.
            progress: told of what takes long.
        """


@runtime_checkable
class StartsSlowly(Protocol):
    """A parameterization whose :meth:`Parameterization.start` takes long, which forecasts ask for."""

    def seconds_to_start(self, picks: int, nbytes: int, num_points: int) -> float:
        """About how long it takes here, timed in a moment; see :meth:`Parameterization.check`."""


@runtime_checkable
class CutByParts(Protocol):
    """A parameterization that must know the parts of all real clouds, not only of the picked ones."""

    def for_parts(self, real: PointClouds) -> Parameterization:
        """What takes its place for a set of these clouds, of which it keeps the parts' shares."""
