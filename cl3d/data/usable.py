"""The check of clouds that every start makes, at a small part of its cost where nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds

_AT_ONCE = 128
"""Clouds that fit in a core's cache."""

_FIRST = 8
"""Points among which two that differ are looked for first."""


def check_usable(clouds: PointClouds, source: str, positions: Sequence[int] | None = None) -> None:
    """Refuses clouds that no method can use, as :func:`cl3d.clouds.check_clouds` does.

    A cloud is good where its largest and smallest coordinate are finite and two of its first points
    differ; only where one is not does the whole check run.

    Args:
        source, positions: what to call them in the message, see there.

    Raises:
        InputError: naming the first cloud at fault.
    """
    if len(clouds) == 0 or clouds.num_points == 0 or not all(map(_good, clouds.points.split(_AT_ONCE))):
        check_clouds(clouds, source, positions)


def _good(points: Tensor) -> bool:
    flat = points.flatten(1)
    finite = torch.isfinite(flat.amax(dim=1)) & torch.isfinite(flat.amin(dim=1))  # both pass NaN on
    differ = (points[:, 1:_FIRST] != points[:, :1]).flatten(1).any(dim=1)
    return bool((finite & differ).all())
