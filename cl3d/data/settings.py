"""How raw clouds of a release become clouds to learn from: the settings that all loaders share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from cl3d.errors import InputError, check_whole

SAMPLINGS = ("random", "fps")
ROTATIONS = (None, "y", "so3")


MOST_POINTS = 1 << 20
"""Points per cloud at most: far more than any method takes, and few enough to hold some such clouds."""


class SettingKeywords(TypedDict, total=False):
    """The fields of :class:`Settings` as keyword arguments, for signatures."""

    num_points: int
    sampling: str
    rotation: str | None
    normalize: bool
    drop_duplicates: bool
    seed: int


@dataclass(frozen=True)
class Settings:
    """What is done with each raw cloud, in this order; the same settings give the same bytes.

    Attributes:
        num_points: points per cloud, from 1 to :data:`MOST_POINTS`; the stored ones in their order
            where there are just as many.
        sampling: which of the stored points: ``"random"``, drawn by the seed; ``"fps"``, the farthest
            point from those picked before, again and again, from the first one on.
        normalize: whether to centre each cloud and scale it into the unit sphere.
        rotation: None for aligned clouds, as stored; ``"y"`` to turn each train and test cloud by its
            own random angle about the up axis; ``"so3"`` by any rotation.
        drop_duplicates: whether to drop the test clouds of which an exact copy stands in train; see
            :mod:`cl3d.data.duplicates`.
        seed: any integer; decides what is drawn at random.

    Raises:
        InputError: if a value is none of these.
    """

    num_points: int = 1024
    sampling: str = "random"
    rotation: str | None = None
    normalize: bool = True
    drop_duplicates: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("num_points", self.num_points, 1)
        if self.num_points > MOST_POINTS:
            raise InputError(f"num_points={self.num_points}: give at most {MOST_POINTS}")
        if self.sampling not in SAMPLINGS:
            raise InputError(
                f"sampling is {self.sampling!r}; give 'random' (seeded) or 'fps' (farthest point sampling)"
            )
        if self.rotation not in ROTATIONS:
            raise InputError(
                f"rotation is {self.rotation!r}; "
                "give None (aligned, as stored), 'y' (about the up axis) or 'so3' (any)"
            )
        for name in ("normalize", "drop_duplicates"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}={getattr(self, name)}: give true or false")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise InputError(f"seed={self.seed}: give a whole number")
