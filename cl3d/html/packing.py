"""Clouds as text: coordinates on a grid of 16 bits, in base64, 8 characters for each point."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

STEPS = (1 << 16) - 1
"""Steps of the grid along the longest side of a cloud's box."""

MOVES = 127
"""Steps of the grid of displacements, to either side."""


def pack(points: Floats) -> dict[str, Any]:
    """Points on a grid that spans their box.

    Args:
        points: (p, 3), finite.

    Returns:
        ``n`` points, the corner ``lo`` of their box, the ``step`` of the grid and the positions on it,
        ``at``: base64 of little-endian uint16, x, y, z of each point. No coordinate is off by more than half
        a step, which is the longest side of the box over 131,070.
    """
    points = np.asarray(points, dtype=np.float64)
    low = points.min(axis=0)
    step = float((points.max(axis=0) - low).max()) / STEPS or 1.0
    # of the numbers as they are written
    low, step = np.array([float(f"{value:.9g}") for value in low]), float(f"{step:.9g}")
    at = ((points - low) / step).round().clip(0, STEPS).astype("<u2")
    return {"n": len(points), "lo": low.tolist(), "step": step, "at": _text(at)}


def unpack(packed: dict[str, Any]) -> Floats:
    """The points, (p, 3): what the page makes of them."""
    at = np.frombuffer(base64.b64decode(packed["at"]), dtype="<u2").reshape(-1, 3)
    points: Floats = (np.array(packed["lo"]) + at * packed["step"]).astype(np.float32)
    return points


def pack_moves(moves: Floats) -> dict[str, Any]:
    """Displacements of points, (p, 3), as one byte each way.

    Returns:
        The ``step``, and ``at``: base64 of int8. No coordinate is off by more than half a step, which is the
        largest displacement along an axis over 254.
    """
    step = float(f"{float(np.abs(moves).max()) / MOVES or 1.0:.9g}")
    at = (np.asarray(moves, dtype=np.float64) / step).round().clip(-MOVES, MOVES).astype(np.int8)
    return {"step": step, "at": _text(at)}


def unpack_moves(packed: dict[str, Any]) -> Floats:
    """The displacements, (p, 3)."""
    at = np.frombuffer(base64.b64decode(packed["at"]), dtype=np.int8).reshape(-1, 3)
    moves: Floats = (at * packed["step"]).astype(np.float32)
    return moves


def pack_parts(parts: npt.NDArray[np.integer[Any]]) -> str:
    """The part of each point, (p,) from 0, as base64 of bytes; they count on from 0 after 255."""
    return _text((np.asarray(parts) % 256).astype(np.uint8))


def _text(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
