"""Clouds that no method can use are refused before any work."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cl3d.clouds import PointClouds
from cl3d.errors import InputError


def check_clouds(clouds: PointClouds, source: str, positions: Sequence[int] | None = None) -> None:
    """Refuses clouds that no method can use.

    Args:
        source: what to call them in the message, e.g. a file name.
        positions: the number of each cloud in the source; 0, 1, ... if not given.

    Raises:
        InputError: naming the first cloud without points, with NaN or infinite coordinates, with
            all points in one place, or with a label below 0.
    """
    if len(clouds) == 0:
        raise InputError(f"{source} has no clouds: give at least one")
    if clouds.num_points == 0:
        raise InputError(f"{source} has clouds without points: give at least one point per cloud")
    numbers = range(len(clouds)) if positions is None else positions
    finite = torch.isfinite(clouds.points).all(dim=(1, 2))
    if not bool(finite.all()):
        first = numbers[int((~finite).nonzero()[0])]
        raise InputError(f"{source}: cloud {first} has NaN or infinite coordinates; repair or remove it")
    extent = clouds.points.amax(dim=1) - clouds.points.amin(dim=1)
    empty = extent.amax(dim=1) == 0
    if clouds.num_points > 1 and bool(empty.any()):
        first = numbers[int(empty.nonzero()[0])]
        raise InputError(f"{source}: cloud {first} is empty (all its points coincide); repair or remove it")
    if int(clouds.labels.min()) < 0:
        first = int((clouds.labels < 0).nonzero()[0])
        raise InputError(
            f"{source}: cloud {numbers[first]} has label {int(clouds.labels[first])}; give labels from 0"
        )
