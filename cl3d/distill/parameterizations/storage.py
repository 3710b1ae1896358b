"""Storage precision of coordinates: float32, float16, or a byte on a fixed grid in the unit ball."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.clouds import normalize
from cl3d.errors import InputError

STORAGES = {"float32": torch.float32, "float16": torch.float16, "uint8": torch.uint8}
"""What a coordinate is stored as, by name."""

GRID = 127
"""Grid steps from 0 to 1: coordinates -1, 0 and 1 are grid points, 0, 127 and 254 as bytes."""

RANGES = {"float16": torch.finfo(torch.float16).max, "uint8": 1 + 0.5 / GRID}
"""The largest coordinate that is stored to the precision's last digit."""


def check_storage(storage: str) -> None:
    """Refuses a name that is not one of :data:`STORAGES`."""
    if storage not in STORAGES:
        raise InputError(f"storage={storage!r} is unknown: give one of {', '.join(STORAGES)}")


def storage_of(packed: Tensor) -> str:
    """The name of a packed tensor's precision.

    Raises:
        InputError: if coordinates are not stored as its dtype.
    """
    for name, dtype in STORAGES.items():
        if packed.dtype == dtype:
            return name
    raise InputError(f"coordinates are stored as {', '.join(STORAGES)}, not as {packed.dtype}")


def point_nbytes(storage: str) -> int:
    """Bytes of one stored point."""
    return 3 * STORAGES[storage].itemsize


def pack(points: Tensor, storage: str) -> Tensor:
    """Coordinates in the dtype that ``storage`` names; as bytes, those outside [-1, 1] are clipped."""
    if storage == "uint8":
        points = (points * GRID).round().clamp(-GRID, GRID) + GRID
    return points.to(STORAGES[storage])


def within_range(points: Tensor, storage: str) -> Tensor:
    """Clouds that ``storage`` can hold: those that reach out of its range are normalised.

    Args:
        points: (n, p, 3).
    """
    if storage not in RANGES:
        return points
    outside = points.abs().amax(dim=(1, 2), keepdim=True) > RANGES[storage]
    return torch.where(outside, normalize(points), points)


def unpack(packed: Tensor) -> Tensor:
    """Packed coordinates as float32; ``pack(unpack(x), ...)`` is x."""
    return (packed.float() - GRID) / GRID if packed.dtype == torch.uint8 else packed.float()


def straight_through(points: Tensor, storage: str) -> Tensor:
    """The coordinates that will be read back, with the gradient of the identity.

    Rounding has derivative 0 almost everywhere; the straight-through estimator (Bengio et al., 2013)
    lets the points move between grid values while the objective sees the rounded ones.
    """
    if storage == "float32":
        return points
    return points + (unpack(pack(points.detach(), storage)).to(points.dtype) - points.detach())
