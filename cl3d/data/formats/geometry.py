"""Geometry: what a file of one shape holds, and the checks that all formats share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cl3d.errors import InputError

Points = npt.NDArray[np.float32]
Faces = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Geometry:
    """The points of one shape, and its triangles where it is a mesh.

    Attributes:
        points: (n, 3) float32, in the file's own units, as stored: neither centred nor scaled.
        faces: (m, 3) int64 with m at least 1, the corners of each triangle as positions in
            ``points``; None for a plain cloud.

    Raises:
        InputError: if the shapes or dtypes are others.
    """

    points: Points
    faces: Faces | None = None

    def __post_init__(self) -> None:
        if self.points.dtype != np.float32 or self.points.ndim != 2 or self.points.shape[1] != 3:
            raise InputError(f"points are {_describe(self.points)}; give float32 of shape (points, 3)")
        if self.faces is not None and (
            self.faces.dtype != np.int64 or self.faces.ndim != 2 or self.faces.shape[1] != 3
        ):
            raise InputError(f"faces are {_describe(self.faces)}; give int64 of shape (triangles, 3)")


def check_geometry(geometry: Geometry, source: str) -> None:
    """Refuses what no method can use.

    Args:
        source: what to call it in the message, e.g. a file name.

    Raises:
        InputError: naming the first point with NaN or infinite coordinates or the first face with a
            corner that is none of the points; also with fewer than two points, or all in one place.
    """
    points, faces = geometry.points, geometry.faces
    if len(points) == 0:
        raise InputError(f"{source} has no points: give at least one")
    refuse_not_finite(points, lambda _: source, "repair or remove it")
    if len(points) == 1:
        raise InputError(f"{source} has one point: give at least two that differ")
    if bool((points == points[0]).all()):
        raise InputError(
            f"{source} has no extent (all its {len(points)} points coincide): give points that differ"
        )
    if faces is not None:
        outside = ((faces < 0) | (faces >= len(points))).any(axis=1)
        if outside.any():
            first = int(outside.argmax())
            raise InputError(
                f"{source}: face {first} has corners {faces[first].tolist()}, but there are {len(points)} "
                "points: corners count from 0, so repair or remove it"
            )


def single(values: npt.NDArray[Any]) -> Points:
    """The values as float32 in an array of its own; too large ones become infinite, without a warning."""
    with np.errstate(all="ignore"):
        return np.array(values, dtype=np.float32, order="C")


def first_not_finite(points: Points) -> int | None:
    """The position of the first point with NaN or infinite coordinates."""
    finite = np.isfinite(points).all(axis=1)
    return None if finite.all() else int((~finite).argmax())


def refuse_not_finite(points: Points, place: Callable[[int], str], advice: str) -> None:
    """Refuses points with NaN or infinite coordinates.

    Args:
        points: (n, 3) float32.
        place: says where the point with some position stands, e.g. ``"a.ply, byte 90"``.
        advice: what to do about it.
    """
    bad = first_not_finite(points)
    if bad is not None:
        x, y, z = points[bad].tolist()
        raise InputError(f"{place(bad)}: point {bad} is ({x}, {y}, {z}), which is not finite; {advice}")


def _describe(array: npt.NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
