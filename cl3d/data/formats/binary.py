"""Coordinates that stand in a file's bytes."""

from __future__ import annotations

import numpy as np

from cl3d.data.formats.geometry import Points
from cl3d.errors import InputError


def strided(
    data: bytes | bytearray,
    kinds: tuple[str, ...],
    starts: tuple[int, ...],
    count: int,
    strides: tuple[int, ...],
) -> Points:
    """Points whose coordinates recur at fixed distances.

    Args:
        kinds: numpy's name of the type of each coordinate with its byte order, e.g. ``"<f4"``.
        starts: where the first of each stands, in bytes.
        count: how many points; the caller has compared it with the size of ``data``.
        strides: from each of a point to that of the next, in bytes.

    Returns:
        (count, 3) float32; what float32 cannot hold is infinite.
    """
    points = np.empty((count, 3), dtype=np.float32)
    if count:
        with np.errstate(all="ignore"):
            for axis, (kind, start, stride) in enumerate(zip(kinds, starts, strides, strict=True)):
                points[:, axis] = np.ndarray((count,), kind, data, start, (stride,))
    return points


def error(source: str, offset: int, text: str) -> InputError:
    """An error that names the file and a byte in it."""
    return InputError(f"{source}, byte {offset}: {text}")
