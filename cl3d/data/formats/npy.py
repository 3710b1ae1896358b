"""npy: the columns of a NumPy array."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from cl3d.data.formats.binary import error
from cl3d.data.formats.geometry import Geometry, refuse_not_finite, single


def parse(data: bytes, source: str) -> Geometry:
    """The points of a .npy file: floats (n, 3 or more), of which the first three columns are read.

    Never unpickles, and compares the size that the header tells with that of the file beforehand.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the byte.
    """
    start, shape, fortran, dtype = _header(data, source)
    found = str(shape)[:40]
    if dtype.kind != "f" or len(shape) != 2 or shape[1] < 3 or shape[0] < 1:
        raise error(
            source,
            0,
            f"the array is {str(dtype)[:40]} of shape {found}; "
            "give floats of shape (points, 3 or more) with at least one point",
        )
    if shape[0] == 3 < shape[1]:
        raise error(
            source,
            0,
            f"the array of shape {found} has its coordinates in rows, or too few points to tell; "
            "give shape (points, 3), so transpose it",
        )
    size = math.prod(shape) * dtype.itemsize
    if size != len(data) - start:
        raise error(
            source,
            start,
            f"an array of shape {found} takes {size} bytes, but {len(data) - start} follow; save it again",
        )
    array = np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape, order="F" if fortran else "C")
    points = single(array[:, :3])
    step = dtype.itemsize * (1 if fortran else shape[1])
    refuse_not_finite(points, lambda i: f"{source}, byte {start + i * step}", "repair or remove it")
    return Geometry(points)


def _header(data: bytes, source: str) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]]:
    """Where the array begins, its shape, whether columns come one after the other, and its type."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        # version 3 is for names of fields, which an array of floats has none of
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise ValueError(f"version {version[0]}.{version[1]}")
        shape, fortran, dtype = readers[version](file)
    # Python reads the header's text before numpy checks it, and both raise many kinds of error
    except Exception as cause:
        raise error(
            source, file.tell(), "the header is not that of a .npy file; save the array again"
        ) from cause
    return file.tell(), shape, fortran, dtype
