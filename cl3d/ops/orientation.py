"""Canonical orientation: a cloud in its principal axes, with signs that do not hang on how it was turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from cl3d.errors import InputError

Odd: TypeAlias = Callable[[Tensor], Tensor]
"""From coordinates (n, p, 3) to a value per cloud and axis (n, 3), an odd function of that axis's alone."""


def orient(points: Tensor, odd: Odd) -> Tensor:
    """Projects each cloud on the principal axes and gives each axis the sign of ``odd`` (DD3D, eq. 7 to 9).

    A cloud and its turned copy come out equal, unless eigenvalues are equal or ``odd`` is 0: such axes or
    signs are arbitrary. As in the paper each sign is fixed by itself, so the result may be mirrored, and a
    cloud and its mirror image come out equal, too. Tying the third axis to the other two would exclude
    that, but across a plane of symmetry a sign is noise, and would then turn over a good one.

    The axes count as constants in the derivative with respect to the points: that of eigenvectors is
    infinite where eigenvalues are equal, as in every solid of revolution.

    Args:
        points: (n, p, 3) float32 or float64.
        odd: called without a graph; 0 gives the positive sign.

    Returns:
        (n, p, 3), centred, the axis of the largest variance first.

    Raises:
        InputError: if the points have another shape, or there are none in a cloud.
    """
    if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] == 0:
        raise InputError(f"points of shape {tuple(points.shape)}: give (n, p, 3) with at least one point")
    centred = points - points.mean(dim=1, keepdim=True)
    with torch.no_grad():
        axes = _principal_axes(centred)
        axes = torch.where(odd(centred @ axes).unsqueeze(1) < 0, -axes, axes)
    return centred @ axes


def _principal_axes(centred: Tensor) -> Tensor:
    """Eigenvectors of the covariance as columns, that of the largest eigenvalue first: (n, 3, 3)."""
    ascending: Tensor = torch.linalg.eigh(centred.mT @ centred / centred.shape[1]).eigenvectors
    return ascending.flip(2)
