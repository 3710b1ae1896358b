"""What a viewer shows: sets of clouds, each made of shapes that are kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cloud:
    """One cloud of an exhibit.

    Attributes:
        label: its class, a position in the viewer's class names.
        title: what to call it within its class.
        of: shapes and weights: the cloud is their weighted sum, normalised.
        kind: ``cloud``; or what tells it from others, as ``anchor`` and ``blend``.
        note: what else to know of it.
        initial: (p, 3), normalised: where its points were before they were distilled; None if unknown.
        parts: (p,) from 0, the part of each point; None if unknown.
    """

    label: int
    title: str
    of: tuple[tuple[int, float], ...]
    kind: str = "cloud"
    note: str = ""
    initial: Floats | None = None
    parts: Ints | None = None


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One set of clouds.

    Attributes:
        shapes: each (p, 3); a cloud names those that it is made of by position.
        clouds: in any order; those of a class in theirs.
        num_points: of the clouds by themselves.
        any_resolution: whether the first points of a shape, however many, are the cloud at that resolution.
        name: what to call the set where there are several.
    """

    shapes: Sequence[Floats]
    clouds: Sequence[Cloud]
    num_points: int
    any_resolution: bool = False
    name: str = ""

    def points_of(self, cloud: Cloud, num_points: int | None = None) -> Floats:
        """A cloud's points, normalised as the page does it: (p, 3)."""
        shapes = [self.shapes[number][: num_points or self._points] for number, _ in cloud.of]
        total = sum(weight * shape for (_, weight), shape in zip(cloud.of, shapes, strict=True))
        return normalized(np.asarray(total, dtype=np.float32))

    @property
    def _points(self) -> int | None:
        return self.num_points if self.any_resolution else None


def merged(exhibits: Sequence[Exhibit], name: str = "") -> Exhibit:
    """Several sets as one."""
    shapes: list[Floats] = []
    clouds: list[Cloud] = []
    for exhibit in exhibits:
        first = len(shapes)
        shapes += exhibit.shapes
        clouds += [replace(c, of=tuple((first + number, w) for number, w in c.of)) for c in exhibit.clouds]
    return Exhibit(
        shapes,
        clouds,
        max((exhibit.num_points for exhibit in exhibits), default=0),
        any(exhibit.any_resolution for exhibit in exhibits),
        name,
    )


def normalized(points: Floats) -> Floats:
    """Centred at the centroid and scaled into the unit sphere; see :func:`cl3d.clouds.normalize`."""
    centred = points - points.mean(axis=0)
    radius = float(np.linalg.norm(centred, axis=1).max())
    scaled: Floats = (centred / (radius or 1.0)).astype(np.float32)
    return scaled


def moved(points: Floats, initial: Floats) -> float:
    """Mean distance of points from where they were, in radii of the cloud's sphere."""
    return float(np.linalg.norm(points - initial, axis=1).mean())
