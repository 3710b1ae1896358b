"""Assembly: surfaces with part names, and the kind of shape that makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.surface import Floats, Ints, Surface, sample_triangles


class Assembly:
    """A shape under construction: surfaces, each with the name of its part."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, Surface]] = []

    def add(self, part: str, *surfaces: Surface) -> None:
        """Adds surfaces that are all of one part."""
        self.pieces.extend((part, surface) for surface in surfaces)

    def sample(
        self, num_points: int, draw: Draw, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ) -> tuple[Floats, Ints]:
        """Independent points, uniform by area over all surfaces after stretching them by ``scale``.

        Returns:
            Points (num_points, 3), and for each the position of its piece (num_points,).
        """
        corners = np.concatenate([surface.vertices[surface.faces] for _, surface in self.pieces])
        points, triangle = sample_triangles(corners * scale, num_points, draw)
        ends = np.cumsum([len(surface.faces) for _, surface in self.pieces])
        return points, np.searchsorted(ends, triangle, side="right")


@dataclass(frozen=True)
class ShapeClass:
    """One class of shapes.

    Attributes:
        name: lower case with underscores.
        parts: the names of all its parts, in the order of their labels.
        make: builds one random member; y is up, and it stands in its canonical azimuth.
    """

    name: str
    parts: tuple[str, ...]
    make: Callable[[Draw], Assembly]
