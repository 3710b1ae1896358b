"""The plain twins of orders and of what runs along a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def lexicographic_order(keys: Sequence[Tensor]) -> Tensor:
    """Twin of :func:`cl3d.ops.sorting.lexicographic_order`: Python's sort of tuples."""
    rows = [list(zip(*row, strict=True)) for row in zip(*(key.tolist() for key in keys), strict=True)]
    return torch.tensor([sorted(range(len(row)), key=row.__getitem__) for row in rows])


def hilbert_curve(bits: int) -> list[tuple[int, int, int]]:
    """Twin of :func:`cl3d.ops.hilbert.hilbert_index`, the other way round: the cells along the curve."""
    return [_hilbert_cell(place, bits) for place in range(8**bits)]


def _hilbert_cell(place: int, bits: int) -> tuple[int, int, int]:
    gray = place ^ place >> 1
    cell = [sum((gray >> 3 * bit + 2 - axis & 1) << bit for bit in range(bits)) for axis in range(3)]
    for bit in range(1, bits):
        below = (1 << bit) - 1
        for axis in (2, 1, 0):
            if cell[axis] >> bit & 1:
                cell[0] ^= below
            else:
                exchanged = (cell[0] ^ cell[axis]) & below
                cell[0] ^= exchanged
                cell[axis] ^= exchanged
    return cell[0], cell[1], cell[2]


def selective_scan(x: Tensor, steps: Tensor, rates: Tensor, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.selective_scan.selective_scan`: one place after the other, (b, l, d)."""
    state = x.new_zeros(len(x), *rates.shape)
    result = []
    for place in range(x.shape[1]):
        step = steps[:, place].unsqueeze(2)
        added = step * x[:, place].unsqueeze(2) * inputs[:, place].unsqueeze(1)
        state = torch.exp(step * rates) * state + added
        result.append((state * outputs[:, place].unsqueeze(1)).sum(dim=2))
    return torch.stack(result, dim=1)
