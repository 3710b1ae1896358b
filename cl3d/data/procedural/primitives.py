"""Primitives: the surfaces that shapes are assembled from.

Solids of revolution and boxes stand on the plane y = 0, centred on the y axis; the rest is where
its arguments say.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from cl3d.data.procedural.surface import Floats, Ints, Surface

SIDES = 20
"""Facets around a surface of revolution: its circle is off by at most 1.3 % of the radius."""

Point = tuple[float, float, float]

_CORNERS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (0.0, 1.0) for z in (-0.5, 0.5)])
_TOP = _CORNERS[:, 1] == 1
_QUADS = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5))
_BOX_FACES: Ints = np.array([t for a, b, c, d in _QUADS for t in ((a, b, c), (a, c, d))], dtype=np.int64)


def box(width: float, height: float, depth: float, top: float = 1.0) -> Surface:
    """A box of this size along x, y and z.

    Args:
        top: width and depth of its upper side as a fraction of the lower's; 0 makes a pyramid.
    """
    vertices = _CORNERS * (width, height, depth)
    if top != 1:
        vertices[_TOP] *= (top, 1, top)
    return Surface(vertices, _BOX_FACES)


def loft(rings: Floats, closed: bool = True) -> Surface:
    """A skin over rings.

    Args:
        rings: (rows, columns, 3); each row is one ring.
        closed: whether the last column is joined to the first.
    """
    rows, columns, _ = rings.shape
    return Surface(rings.reshape(-1, 3), _grid_faces(rows, columns, closed))


def revolve(profile: npt.ArrayLike, sides: int = SIDES) -> Surface:
    """A surface of revolution about the y axis.

    Args:
        profile: (k, 2), pairs of radius and height. It is closed where the profile ends on radius 0.
    """
    radius, height = np.asarray(profile, dtype=np.float64).T
    rings = np.empty((len(radius), sides, 3))
    rings[..., 0] = radius[:, None] * _circle(sides)[:, 0]
    rings[..., 1] = height[:, None]
    rings[..., 2] = radius[:, None] * _circle(sides)[:, 1]
    return loft(rings)


def cylinder(radius: float, height: float, top: float | None = None, closed: bool = True) -> Surface:
    """A cylinder, or a frustum of a cone where ``top``, the upper radius, is given.

    Args:
        closed: whether the two discs belong to it.
    """
    upper = radius if top is None else top
    wall = [(radius, 0.0), (upper, height)]
    return revolve([(0.0, 0.0), *wall, (0.0, height)] if closed else wall)


def disc(radius: float) -> Surface:
    """A flat disc in the plane y = 0."""
    return revolve([(0.0, 0.0), (radius, 0.0)])


def ellipsoid(x: float, y: float, z: float, rows: int = 10) -> Surface:
    """An ellipsoid with these half axes, centred on the origin."""
    angle = np.linspace(0, math.pi, rows + 1)
    return revolve(np.stack((np.sin(angle), -np.cos(angle)), axis=1)).stretched(x, y, z)


def tube(
    curve: npt.ArrayLike, radius: npt.ArrayLike, normal: Point = (0.0, 0.0, 1.0), sides: int = 8
) -> Surface:
    """A tube with closed ends along a curve.

    Args:
        curve: (k, 3), at least two points.
        radius: of the tube, one for all or (k,), one per point.
        normal: a direction that the curve never runs along; for a plane curve, the normal of its
            plane.
    """
    line = np.asarray(curve, dtype=np.float64)
    tangents = np.gradient(line, axis=0)
    across = _cross(tangents, normal)
    across /= np.sqrt((across**2).sum(axis=1, keepdims=True))
    up = _cross(across, tangents)
    up /= np.sqrt((up**2).sum(axis=1, keepdims=True))
    circle = _circle(sides)
    spread = across[:, None] * circle[None, :, :1] + up[:, None] * circle[None, :, 1:]
    rings = line[:, None] + spread * np.broadcast_to(radius, len(line))[:, None, None]
    ends = [np.broadcast_to(point, (1, sides, 3)) for point in (line[0], line[-1])]
    return loft(np.concatenate((ends[0], rings, ends[1])))


def rod(start: Point, end: Point, radius: float, tip: float | None = None, sides: int = 8) -> Surface:
    """A straight rod between two points, with radius ``tip`` at its end where that is given.

    Args:
        sides: 4 makes a square bar with this half diagonal.
    """
    steep = abs(end[1] - start[1]) > max(abs(end[0] - start[0]), abs(end[2] - start[2]))
    normal = (1.0, 0.0, 0.0) if steep else (0.0, 1.0, 0.0)
    return tube((start, end), (radius, radius if tip is None else tip), normal, sides)


def arc(
    radius: float, start: float = 0.0, stop: float = 360.0, points: int = 17, centre: Point = (0.0, 0.0, 0.0)
) -> Floats:
    """A circular arc parallel to the xy plane, (points, 3); angles in degrees from +x to +y."""
    angle = np.radians(np.linspace(start, stop, points))
    curve = np.stack((radius * np.cos(angle), radius * np.sin(angle), np.zeros(points)), axis=1)
    shifted: Floats = curve + np.asarray(centre)
    return shifted


def torus(major: float, minor: float, start: float = 0.0, stop: float = 360.0) -> Surface:
    """A torus about the z axis, or the part of it between two angles, its ends closed; see :func:`arc`."""
    if stop - start >= 360:
        ring = arc(minor, points=9, centre=(major, 0, 0))
        return revolve(ring[:, :2], sides=24).turned("x", 90)
    return tube(arc(major, start, stop, 25), minor)


def prism(outline: npt.ArrayLike, depth: float) -> Surface:
    """A plate of thickness ``depth``, its middle in the xy plane.

    Args:
        outline: (k, 2) corners, each visible from their mean.
    """
    corners = np.asarray(outline, dtype=np.float64)
    middle = np.broadcast_to(corners.mean(axis=0), corners.shape)
    rings = np.empty((4, len(corners), 3))
    rings[:, :, :2] = np.stack((middle, corners, corners, middle))
    rings[:2, :, 2], rings[2:, :, 2] = -depth / 2, depth / 2
    return loft(rings)


@cache
def _circle(sides: int) -> Floats:
    # half a step off, so that a ring of four is a square along the axes
    angle = (np.arange(sides) + 0.5) * (2 * math.pi / sides)
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)


@cache
def _grid_faces(rows: int, columns: int, closed: bool) -> Ints:
    index = np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
    if closed:
        index = np.concatenate((index, index[:, :1]), axis=1)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    faces: Ints = np.concatenate((np.stack((a, b, c), axis=1), np.stack((a, c, d), axis=1)))
    return faces


def _cross(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    # by hand: numpy.cross takes longer than the rest of a tube
    (ax, ay, az), (bx, by, bz) = np.asarray(a).T, np.asarray(b).T
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=-1)
