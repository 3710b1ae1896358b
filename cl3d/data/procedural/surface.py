"""Surface: a triangle mesh, and uniform sampling by area.

All primitives are triangle meshes, the round ones faceted more finely than the sampling noise. So
one sampler serves every shape, and it stays uniform after any stretching.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cl3d.data.procedural.draw import Draw

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh.

    Attributes:
        vertices: (k, 3) float64; y is up.
        faces: (f, 3) int64, the corners of each triangle; their winding has no meaning.
    """

    vertices: Floats
    faces: Ints

    @property
    def area(self) -> float:
        """Total area of the triangles."""
        return float(triangle_areas(self.vertices[self.faces]).sum())

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Surface:
        """Shifted by (x, y, z)."""
        return Surface(self.vertices + np.array((x, y, z)), self.faces)

    def stretched(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Surface:
        """Scaled about the origin; a negative factor mirrors."""
        return Surface(self.vertices * (x, y, z), self.faces)

    def turned(self, axis: str, degrees: float) -> Surface:
        """Turned about the axis ``"x"``, ``"y"`` or ``"z"`` through the origin, right-handed."""
        return Surface(self.vertices @ rotation(axis, degrees).T, self.faces)


def rotation(axis: str, degrees: float) -> Floats:
    """The (3, 3) right-handed rotation about ``"x"``, ``"y"`` or ``"z"``."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def triangle_areas(corners: Floats) -> Floats:
    """Areas of triangles: (f, 3 corners, 3) to (f,)."""
    a = corners[:, 1] - corners[:, 0]
    b = corners[:, 2] - corners[:, 0]
    # the cross product by hand: numpy.cross is several times slower on arrays this small
    x = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    y = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    z = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    areas: Floats = 0.5 * np.sqrt(x * x + y * y + z * z)
    return areas


def sample_triangles(corners: Floats, num_points: int, draw: Draw) -> tuple[Floats, Ints]:
    """Independent uniform points on triangles.

    Args:
        corners: (f, 3 corners, 3), not all degenerate.

    Returns:
        Points (num_points, 3), and the triangle of each (num_points,). The points are independent
        of each other, so that their order carries no information.
    """
    cumulative = triangle_areas(corners).cumsum()
    which, u, v = draw.uniform(3, num_points)
    chosen = np.searchsorted(cumulative, which * cumulative[-1], side="right")
    # the square root spreads points evenly over the triangle (Osada et al. 2002, section 3.1)
    root = np.sqrt(u)
    weights = np.stack((1 - root, root * (1 - v), root * v), axis=1)
    return np.einsum("pc,pcd->pd", weights, corners[chosen]), chosen
