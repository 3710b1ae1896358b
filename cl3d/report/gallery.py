"""A picture of many clouds at once."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.errors import InputError
from cl3d.report.picture import check_ending, write_picture
from cl3d.report.style import PALETTE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Points = Tensor | npt.NDArray[np.floating]
Colours = Tensor | npt.NDArray[np.integer] | None

AZIMUTH, ELEVATION = math.radians(32), math.radians(22)
HAZE = 0.8
"""How far the farthest point of a cloud fades to white."""
TITLE = 0.16
"""Room above each panel, as a fraction of its width."""
LETTERS = 24
"""How many fit above a panel; longer titles are cut."""


class Panel(NamedTuple):
    """One cloud of a gallery.

    Attributes:
        title: written above it; may be empty.
        points: (p, 3), y up; centred and scaled to fill its panel.
        colours: (p,) integers that choose each point's colour, e.g. parts; they count on from the
            start where the palette ends. None for one colour.
    """

    title: str
    points: Points
    colours: Colours = None


def class_panels(clouds: PointClouds, class_names: Sequence[str], per_class: int = 1) -> list[Panel]:
    """The first ``per_class`` clouds of each class as panels, titled by class, coloured by part."""
    panels = []
    for label in clouds.classes:
        some = clouds.of_class(label)[:per_class]
        for position, points in enumerate(some.points):
            # a part's colour is its rank within the class, so that few colours serve many parts
            parts = None if some.parts is None else some.parts[position] - int(some.parts.min())
            panels.append(Panel(class_names[label], points, parts))
    return panels


def save_gallery(
    path: str | os.PathLike[str],
    panels: Sequence[Panel | tuple[str, Points, Colours]],
    columns: int = 8,
    *,
    panel_inches: float = 1.5,
    dpi: int = 110,
) -> None:
    """Draws clouds in a grid, seen from the front, a little from the right and above.

    Points farther away are paler. The file appears complete or not at all.

    Args:
        path: the picture to write, .png, .pdf or .svg.
        panels: filled in row by row.
        columns: panels per row.
        panel_inches: width and height of one panel.
        dpi: dots per inch, of a .png.

    Raises:
        InputError: if there is nothing to draw, a panel's shapes do not fit together, the ending is another
            one, or the file cannot be written.
    """
    path = Path(path)
    check_ending(path)
    if not panels:
        raise InputError("a gallery of no panels is asked for: give at least one")
    if columns < 1:
        raise InputError(f"columns is {columns}, but it must be at least 1: give the panels per row")
    checked = [_checked(index, Panel(*panel)) for index, panel in enumerate(panels)]
    width = min(columns, len(panels))
    height = math.ceil(len(panels) / width) * (1 + TITLE)
    figure = Figure(figsize=(width * panel_inches, height * panel_inches), facecolor="white")
    # one set of axes for all panels: a set per panel takes most of the time in a large gallery
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    for index, panel in enumerate(checked):
        row, column = divmod(index, width)
        _draw(axes, panel, column, row * (1 + TITLE), panel_inches)
    write_picture(path, figure, dpi)


def _draw(axes: Axes, panel: _Checked, left: float, top: float, inches: float) -> None:
    """Draws a panel whose width is 1 into axes whose y runs downwards."""
    flat, near = _projected(panel.points)
    order = near.argsort()
    x, y = left + 0.5 + 0.46 * flat[:, 0], top + TITLE + 0.5 - 0.46 * flat[:, 1]
    # fewer points are drawn larger, up to a limit
    sizes = (inches * 72) ** 2 * 0.8 / (len(flat) + 350) * (0.4 + 0.6 * near)
    shades = _shaded(panel.colours, near)
    axes.scatter(x[order], y[order], s=sizes[order], c=shades[order], linewidths=0)
    title = panel.title if len(panel.title) <= LETTERS else f"{panel.title[: LETTERS - 1]}…"
    axes.text(left + 0.5, top + 0.75 * TITLE, title, ha="center", va="center", fontsize=5.2 * inches)


class _Checked(NamedTuple):
    title: str
    points: Floats
    colours: Ints


def _checked(index: int, panel: Panel) -> _Checked:
    points = np.asarray(_plain(panel.points), dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0 or not np.isfinite(points).all():
        raise InputError(
            f"panel {index} has points of shape {points.shape}; give finite ones of shape (points, 3)"
        )
    if panel.colours is None:
        return _Checked(panel.title, points, np.zeros(len(points), dtype=np.int64))
    colours = np.asarray(_plain(panel.colours))
    if colours.shape != points.shape[:1] or not np.issubdtype(colours.dtype, np.integer):
        raise InputError(
            f"panel {index} has {colours.dtype} colours of shape {colours.shape}; "
            f"give integers of shape ({len(points)},)"
        )
    return _Checked(panel.title, points, colours.astype(np.int64))


def _plain(values: Tensor | npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values


def _projected(points: Floats) -> tuple[Floats, Floats]:
    """Positions in the picture (p, 2) within [-1, 1], and nearness (p,) from 0 to 1."""
    x, y, z = points.T
    right = math.cos(AZIMUTH) * x - math.sin(AZIMUTH) * z
    ahead = math.sin(AZIMUTH) * x + math.cos(AZIMUTH) * z
    up = math.cos(ELEVATION) * y - math.sin(ELEVATION) * ahead
    near = math.sin(ELEVATION) * y + math.cos(ELEVATION) * ahead
    flat = np.stack((right, up), axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    half = max(float((high - low).max()) / 2, np.finfo(np.float64).tiny)
    span = max(float(near.max() - near.min()), np.finfo(np.float64).tiny)
    return (flat - (low + high) / 2) / half, (near - near.min()) / span


def _shaded(colours: Ints, near: Floats) -> Floats:
    palette = np.array([[int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name in PALETTE])
    fade = (HAZE * (1 - near))[:, None]
    shaded: Floats = palette[colours % len(palette)] * (1 - fade) + fade
    return shaded
