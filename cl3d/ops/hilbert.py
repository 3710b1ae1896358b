"""The Hilbert curve through a cubic lattice, and the order it gives to points.

J. Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707, 2004.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError, check_positive
from cl3d.ops.sorting import lexicographic_order

BITS = 16
"""Of a coordinate on the lattice that points are put on: 65,536 cells along an axis."""

MOST_BITS = 20
"""Three coordinates fit into an int64."""


def hilbert_index(cells: Tensor, bits: int) -> Tensor:
    """The place of each cell along the Hilbert curve through a lattice of ``2**bits`` cells along each axis.

    The curve visits each cell once and moves by one cell along one axis at a time. Its cells of a coarser
    lattice are those of the coarser curve's, up to the axes' names.

    Args:
        cells: (..., 3) int64, from 0 to ``2**bits - 1``.
        bits: from 1 to 20.

    Returns:
        (...) int64, from 0 to ``8**bits - 1``.

    Raises:
        InputError: if the shape or dtype is another, or ``bits`` is out of range.
    """
    if cells.ndim < 1 or cells.shape[-1] != 3 or cells.dtype != torch.int64:
        raise InputError(f"cells of shape {tuple(cells.shape)} and {cells.dtype}: give (..., 3) in int64")
    if not 1 <= bits <= MOST_BITS:
        raise InputError(f"bits={bits}: give a whole number from 1 to {MOST_BITS}")
    axes = list(cells.unbind(dim=-1))
    for bit in range(bits - 1, 0, -1):
        below = (1 << bit) - 1
        for i, axis in enumerate(axes):
            # a cube of the upper half is reflected in the first axis, one of the lower changes axes with it
            upper = (axis >> bit & 1) == 1
            exchanged = (axes[0] ^ axis) & below
            axes[i] = torch.where(upper, axis, axis ^ exchanged)
            axes[0] = torch.where(upper, axes[0] ^ below, axes[0] ^ exchanged)
    # what is left is a Gray code of the octants, level by level
    axes[1] = axes[1] ^ axes[0]
    axes[2] = axes[2] ^ axes[1]
    flips = torch.zeros_like(axes[0])
    for bit in range(bits - 1, 0, -1):
        flips = torch.where((axes[2] >> bit & 1) == 1, flips ^ ((1 << bit) - 1), flips)
    place = torch.zeros_like(flips)
    for bit in range(bits - 1, -1, -1):
        for axis in axes:
            place = place << 1 | ((axis ^ flips) >> bit & 1)
    return place


@torch.no_grad()
def hilbert_order(points: Tensor, cell: float = 0.02, transposed: bool = False) -> Tensor:
    """The order in which the Hilbert curve visits points.

    The lattice begins at the least coordinates of each cloud. Points in one cell follow one another by x, y
    and z, so the order of places does not hang on that of the points that are handed over.

    Args:
        points: (n, p, 3) floating point.
        cell: edge of a cell, above 0. Beyond 65,536 cells along an axis all points are in the last.
        transposed: let the curve take x for y and y for x ("Trans-Hilbert").

    Returns:
        (n, p) int64: ``order[i, 0]`` is the first point of cloud i.

    Raises:
        InputError: if the shape is another, or ``cell`` is out of range.
    """
    check_positive("cell", cell)
    if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] == 0:
        raise InputError(f"points of shape {tuple(points.shape)}: give (n, p, 3) with at least one point")
    places = (points - points.amin(dim=1, keepdim=True)) / cell
    cells = places.clamp_max(2**BITS - 1).long()
    if transposed:
        cells = cells[..., [1, 0, 2]]
    return lexicographic_order([hilbert_index(cells, BITS), *points.unbind(dim=2)])
