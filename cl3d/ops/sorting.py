"""Sorting along the last axis, the dear part of sorted feature maps; and by several keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def sort_rows(x: Tensor) -> Tensor:
    """Sorts ascending along the last axis; differentiable to any order where ``x`` asks for it.

    Equal to ``torch.sort`` (stable), of which NumPy's vectorised sort of plain values takes a fraction on
    the CPU. Where a gradient is asked for, value and position are packed into one integer, so that one
    such sort gives the permutation.

    Args:
        x: (..., n) without NaN, n below 2**31; float32 on the CPU takes the fast way, but not inside the
            transforms of ``torch.func``.

    Returns:
        The same shape.
    """
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(x)
    if x.device.type != "cpu" or x.dtype != torch.float32 or wrapped:
        return x.sort(dim=-1, stable=True).values
    if not (x.requires_grad and torch.is_grad_enabled()):
        return torch.from_numpy(np.sort(x.detach().contiguous().numpy(), axis=-1))
    rows = x.reshape(-1, x.shape[-1])
    order = torch.from_numpy(_argsort(rows.detach().contiguous().numpy()))
    return rows.gather(1, order).view(x.shape)


@torch.no_grad()
def lexicographic_order(keys: Sequence[Tensor]) -> Tensor:
    """The order of each row by the first key; where that ties by the next, and so on; at last by position.

    Args:
        keys: each (n, p), without NaN.

    Returns:
        (n, p) int64.
    """
    order = torch.arange(keys[0].shape[1], device=keys[0].device).expand(keys[0].shape)
    # stable sorts by the last key first are one sort by all of them
    for key in reversed(keys):
        order = order.gather(1, key.gather(1, order).argsort(dim=1, stable=True))
    return order


def _argsort(rows: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray:
    """Stable argsort of each row, int64."""
    # + 0.0 turns -0.0 into 0.0, which ties with it; as integers, floats below 0 are in reverse order
    bits = (rows + np.float32(0)).view(np.int32)
    keys = (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)
    packed = (keys << 32) | np.arange(rows.shape[1])
    packed.sort(axis=1)
    return packed & 0xFFFFFFFF
