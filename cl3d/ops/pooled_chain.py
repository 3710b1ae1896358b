"""Pooled linear layer behind layers of single points, differentiated at the points that win.

A point that wins no channel leaves no trace in the max: its derivatives are exactly zero, of any order. Where
the layers before map each point by itself, they need a graph for the winners alone; what all points are
mapped for is the search. The winners are the critical points of Qi et al., CVPR 2017, section 5.3.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cl3d.ops.pooled_linear import map_winners, pooled_linear, rising, winning_rows
from cl3d.ops.shared_linear import PointNorm, check_shared, point_by_point


def pooled_chain(
    before: Callable[[Tensor], Tensor],
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    norm: PointNorm | None = None,
    relu: bool = False,
) -> Tensor:
    """``pooled_linear(before(x), weight, bias, norm, relu)``, differentiable to any order.

    Equal to that in value and derivatives up to rounding. It is that where there is nothing to differentiate,
    or going twice through ``before`` would not pay: with fewer points than channels, most points win; off the
    CPU the number of winners would have to be waited for.

    Args:
        before: (1, n, inputs) or (b, n, inputs) → the same with d in the place of inputs; each point by
            itself, the same each time that it is called.
        x: (b, n, inputs).
        weight, bias, norm, relu: see :func:`cl3d.ops.pooled_linear.pooled_linear`.

    Returns:
        (b, c).

    Raises:
        InputError: as :func:`cl3d.ops.pooled_linear.pooled_linear`.
    """
    if not (_pays(x, weight) and point_by_point(norm)):
        return pooled_linear(before(x), weight, bias, norm, relu)
    with torch.no_grad():
        mapped = before(x)
        check_shared(mapped, weight, bias, norm)
        rows = winning_rows(mapped, rising(weight, norm))
    kept, places = rows.unique(return_inverse=True)
    few = before(x.flatten(0, 1).index_select(0, kept).unsqueeze(0)).squeeze(0)
    winners = few.index_select(0, places.flatten()).view(*places.shape, -1)
    return map_winners(winners, few.unsqueeze(0), weight, bias, norm, relu)


def _pays(x: Tensor, weight: Tensor) -> bool:
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    plain = x.device.type == "cpu" and not (wrapped(x) or wrapped(weight))
    return plain and torch.is_grad_enabled() and x.shape[1] >= len(weight)
