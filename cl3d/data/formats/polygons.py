"""Polygons of any size, checked and cut into triangles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cl3d.data.formats.geometry import Faces
from cl3d.errors import InputError

Ints = npt.NDArray[np.int64]


class Polygons:
    """The polygons of one file, collected in pieces.

    A corner that is no point may be found only after the last point is read, so each polygon keeps
    where it stands in the file.

    Args:
        source: the file's name, for messages.
        unit: what places in it count: ``"line"`` or ``"byte"``.
    """

    def __init__(self, source: str, unit: str) -> None:
        self._source = source
        self._unit = unit
        self._pieces: list[tuple[Ints, Ints, Ints]] = []

    def check_sizes(self, sizes: Ints, places: Sequence[int] | Ints) -> None:
        """Refuses polygons with fewer than three corners; both arguments as in :meth:`add`."""
        if len(sizes) and int(sizes.min()) < 3:
            first = int((sizes < 3).argmax())
            raise self._error(places[first], f"the face has {sizes[first]} corners; give at least 3")

    def add(self, sizes: Ints, corners: Ints, places: Sequence[int] | Ints) -> None:
        """Adds polygons.

        Args:
            sizes: (k,) how many corners each has.
            corners: (sum of sizes,) positions of points from 0.
            places: (k,) the line or byte at which each stands.

        Raises:
            InputError: naming the first polygon with fewer than three corners.
        """
        self.check_sizes(sizes, places)
        self._pieces.append((sizes, corners, np.asarray(places, dtype=np.int64)))

    def triangles(self, num_points: int) -> Faces | None:
        """All polygons as fans around their first corners, in order; None where there are none.

        Raises:
            InputError: naming the first polygon with a corner that is none of ``num_points``.
        """
        if not sum(len(sizes) for sizes, _, _ in self._pieces):
            return None
        for piece in self._pieces:
            self._check_range(*piece, num_points)
        return np.concatenate([_fans(sizes, corners) for sizes, corners, _ in self._pieces])

    def _check_range(self, sizes: Ints, corners: Ints, places: Ints, num_points: int) -> None:
        if len(corners) == 0 or (int(corners.min()) >= 0 and int(corners.max()) < num_points):
            return
        first = int(((corners < 0) | (corners >= num_points)).argmax())
        owner = int(sizes.cumsum().searchsorted(first, side="right"))
        raise self._error(
            int(places[owner]),
            f"the face has point {corners[first]} (counted from 0) as a corner, but there are {num_points} "
            "points; repair or remove it",
        )

    def _error(self, place: int, text: str) -> InputError:
        return InputError(f"{self._source}, {self._unit} {place}: {text}")


def _fans(sizes: Ints, corners: Ints) -> Faces:
    """Triangles (first, i, i + 1) of each polygon; masks instead of positions, to save memory."""
    if (sizes == 3).all():
        return corners.reshape(-1, 3)
    ends = sizes.cumsum()
    starts = ends - sizes
    chosen = np.ones(len(corners), dtype=bool)
    chosen[starts] = False
    triangles = np.empty((len(corners) - 2 * len(sizes), 3), dtype=np.int64)
    triangles[:, 0] = np.repeat(corners[starts], sizes - 2)
    chosen[ends - 1] = False
    triangles[:, 1] = corners[chosen]
    chosen[ends - 1], chosen[starts + 1] = True, False
    triangles[:, 2] = corners[chosen]
    return triangles
