"""Rotations of clouds: drawn, given by angles, applied."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cl3d.errors import InputError


def rotate(points: Tensor, rotations: Tensor) -> Tensor:
    """Turns each cloud by its own rotation: row vectors times the transposed matrix.

    Args:
        points: (n, p, 3).
        rotations: (n, 3, 3), applied as R x to each point x.
    """
    return points @ rotations.transpose(-1, -2)


def random_rotations(n: int, generator: torch.Generator, axis: str | None = None) -> Tensor:
    """Draws rotations: about one axis, or uniformly over SO(3).

    Args:
        axis: ``"x"``, ``"y"``, ``"z"``, or None for any rotation (uniform unit quaternions).

    Returns:
        (n, 3, 3) float32, determinant 1.
    """
    if axis is None:
        w, x, y, z = torch.nn.functional.normalize(torch.randn(n, 4, generator=generator), dim=1).unbind(1)
    elif axis in ("x", "y", "z"):
        half = torch.rand(n, generator=generator) * math.pi
        w = half.cos()
        x, y, z = (half.sin() if axis == name else torch.zeros(n) for name in "xyz")
    else:
        raise InputError(f"axis is {axis!r}; it is 'x', 'y', 'z' or None for any rotation")
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def euler_rotations(angles: Tensor) -> Tensor:
    """Rotations about x, then y, then z: (n, 3) radians → (n, 3, 3), R = Rz Ry Rx; differentiable."""
    cos, sin = angles.cos(), angles.sin()
    identity = torch.eye(3, dtype=angles.dtype, device=angles.device).repeat(len(angles), 1, 1)
    total = identity
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = identity.clone()
        turn[:, i, i] = turn[:, j, j] = cos[:, axis]
        turn[:, j, i], turn[:, i, j] = sin[:, axis], -sin[:, axis]
        total = turn @ total
    return total
