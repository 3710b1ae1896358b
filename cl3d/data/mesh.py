"""Points on the surface of a mesh."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cl3d.data.formats.geometry import Geometry
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.surface import sample_triangles, triangle_areas
from cl3d.errors import InputError, check_whole


def sample_surface(
    geometry: Geometry, num_points: int, generator: torch.Generator, source: str = "the mesh"
) -> Tensor:
    """Draws points uniformly by area.

    A triangle is drawn with a probability in proportion to its area, a point on it by the square-root
    trick (Osada et al. 2002, section 3.1), in double precision. Triangles without area get none.

    Args:
        geometry: a mesh that has passed :func:`cl3d.data.formats.check_geometry`.
        num_points: how many, at least 1.
        generator: on the CPU; one number is drawn from it.
        source: what to call the mesh in messages, e.g. a file name.

    Returns:
        (num_points, 3) float32, independent of each other, in the units of the mesh.

    Raises:
        InputError: if there are no faces, or none that has an area.
    """
    check_whole("num_points", num_points, 1)
    if geometry.faces is None:
        raise InputError(f"{source} has no faces to draw points from: give a mesh, or use its points")
    corners = geometry.points.astype(np.float64)[geometry.faces]
    if not triangle_areas(corners).any():
        raise InputError(f"{source} has no area (all its faces are lines or points): repair it or remove it")
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    points, _ = sample_triangles(corners, num_points, Draw(seed))
    return torch.from_numpy(points.astype(np.float32))
