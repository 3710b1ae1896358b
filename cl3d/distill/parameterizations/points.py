"""Raw points: a set stored as the coordinates of its clouds, in the number and precision asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.parameterizations.part_labels import in_part_order, parts_of, runs_of
from cl3d.distill.parameterizations.sizes import Units
from cl3d.distill.parameterizations.storage import (
    check_storage,
    pack,
    point_nbytes,
    storage_of,
    straight_through,
    unpack,
    within_range,
)
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError, check_whole
from cl3d.progress import Progress, silent
from cl3d.random import generator as keyed_generator


class PointSet(SyntheticSet):
    """Clouds stored point by point.

    Args:
        clouds: in class order; parts are kept where they are known, and points stored in their order.
        storage: precision of the coordinates, one of ``cl3d.distill.parameterizations.storage.STORAGES``.

    Attributes:
        points: (m, p, 3) float32 parameter, rounded to ``storage`` wherever the set is decoded or kept.
        parts: (m, p) int64 buffer, ascending in each cloud, or None.
    """

    kind = "points"
    parts: Tensor | None

    def __init__(self, clouds: PointClouds, storage: str = "float32") -> None:
        super().__init__(clouds.labels.clone())
        check_storage(storage)
        self.storage = storage
        clouds = in_part_order(clouds)
        self.register_buffer("parts", clouds.parts, persistent=False)
        self.points = nn.Parameter(clouds.points.detach().to(torch.float32, copy=True))

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The clouds as stored, or that many of their points; see :class:`SyntheticSet`."""
        clouds = PointClouds(straight_through(self.points, self.storage), self.labels, self.parts)
        return self._at(clouds, generator, num_points)

    def stored(self) -> dict[str, Tensor]:
        """The coordinates, (m, p, 3) in the storage's dtype."""
        return {"points": pack(self.points.detach(), self.storage)}

    def prune(self, clouds_per_class: int) -> PointSet:
        """Keeps the first clouds of each class: initializers pick the most important first."""
        return self._first(clouds_per_class)

    def shrink(self, shares: Mapping[int, int], seed: int = 0) -> PointSet:
        """Keeps as many of the first clouds of each class as its share pays for."""
        size = Units(self.clouds_per_class, self.nbytes // len(self))
        left = size.shrunk(shares)
        return self if left is size else self._first(left.held)

    def _first(self, clouds_per_class: int | Mapping[int, int]) -> PointSet:
        kept = self.first_of_each_class(clouds_per_class)
        pruned = PointSet(PointClouds(self.points.detach(), self.labels, self.parts)[kept], self.storage)
        pruned.info = dict(self.info)
        return pruned

    def config(self) -> dict[str, Any]:
        """How many points of each cloud belong to which part, where that is known."""
        return {} if self.parts is None else {"parts": runs_of(self.parts)}

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> PointSet:
        """From a file's tensors; see :class:`SyntheticSet`."""
        packed = tensors.get("points")
        if set(tensors) != {"points"} or packed is None or not set(config) <= {"parts"}:
            raise InputError(
                f"a set of points holds one tensor 'points', not {sorted(tensors)} and {sorted(config)}"
            )
        storage = storage_of(packed)
        if packed.ndim != 3 or packed.shape[2] != 3 or 0 in packed.shape:
            raise InputError(f"points are {tuple(packed.shape)}, not (clouds, points, 3)")
        if not bool(torch.isfinite(packed).all()):
            raise InputError("a set of points holds finite coordinates")
        parts = parts_of(config["parts"], *packed.shape[:2]) if "parts" in config else None
        return PointSet(PointClouds(unpack(packed), labels, parts), storage)


@dataclass(frozen=True)
class Points:
    """Stores each cloud as its points.

    The same bytes hold one cloud of 1,024 points as float32, or 16 of 64, or 64 of 64 as bytes.

    Attributes:
        num_points: per stored cloud, chosen at random from the picked one's; None keeps them all.
        storage: precision of the coordinates: ``float32``, ``float16`` or ``uint8`` (a fixed grid of
            1/127 in the unit ball, straight-through while distilling).
    """

    num_points: int | None = None
    storage: str = "float32"
    takes_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_storage(self.storage)
        if self.num_points is not None:
            check_whole("num_points", self.num_points, 1)

    @property
    def starts_from_picks(self) -> bool:
        """Yes."""
        return True

    def size(
        self, picks: Mapping[int, int], shares: Mapping[int, int], num_points: int, parts: bool = False
    ) -> Units:
        """The picked clouds."""
        return Units(picks, self._cloud_nbytes(num_points))

    def decoded_points(self, num_points: int) -> int:
        """As many as are stored."""
        return num_points if self.num_points is None else self.num_points

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses stored clouds finer than the real ones."""
        if self.num_points is not None and self.num_points > num_points:
            raise InputError(
                f"num_points={self.num_points} per stored cloud, but the clouds have {num_points}: "
                "give that or less, by resolution= or num_points"
            )

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """As many whole clouds as fit."""
        return nbytes // self._cloud_nbytes(num_points)

    def _cloud_nbytes(self, num_points: int) -> int:
        return self.decoded_points(num_points) * point_nbytes(self.storage)

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> PointSet:
        """A copy of the picked clouds, or of some of their points."""
        del shares, progress
        return PointSet(self.coarsen(picked, seed), self.storage)

    def coarsen(self, picked: PointClouds, seed: int) -> PointClouds:
        """The clouds with ``num_points`` points each; normalised where the storage could not hold them."""
        if self.num_points not in (None, picked.num_points):
            picked = picked.resample(self.num_points or 0, keyed_generator(seed, "coarsen"))
        return picked.with_points(within_range(picked.points, self.storage))
