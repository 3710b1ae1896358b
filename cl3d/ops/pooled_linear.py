"""Pooled linear layer: a linear map of all points, a norm, the max over points; exact, of the winners only.

The feature of a PointNet (Qi et al., CVPR 2017) is the max over points of its widest layer, and all but one
point per channel are formed there to be thrown away. Here each channel's winning point is searched for
without a graph, then only the winners are mapped again by ordinary differentiable operations. The norms pass
through because they are monotone in each channel: the max is found on the linear map before them, the min
where their weight is negative, and their statistics come from the mean and covariance of the points (see
:mod:`cl3d.ops.shared_linear`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cl3d.ops import naive
from cl3d.ops.shared_linear import PointNorm, check_shared, has_few_points, moments, normalise

CHUNK = 1 << 26
"""Most values of the (clouds, c, n) product held at once off the CPU, over all that ``vmap`` adds: 256 MiB of
float32."""


def pooled_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None, relu: bool = False
) -> Tensor:
    """The max over points of ``norm(W x + b)``, after a ReLU if asked, differentiable to any order.

    Equal in value and derivatives to the dense computation (``cl3d.ops.naive.pooled_linear``) up to
    rounding; of points that tie the first wins, as with ``torch.max``. Where rounding differs, two points
    that agree to the last digits may change places. Memory grows with b · c · d and c · n, not with
    b · c · n.

    Args:
        x: (b, n, d) floating point.
        weight: (c, d).
        bias: (c,) or None.
        norm: of c channels, in the mode it is in; a BatchNorm in train mode updates its running
            statistics as it would when called.
        relu: apply ReLU, which commutes with the max.

    Returns:
        (b, c).

    Raises:
        InputError: if shapes do not fit, the norm is of another kind, or there is one value to normalise.
    """
    check_shared(x, weight, bias, norm)
    if has_few_points(x, norm):
        return naive.pooled_linear(x, weight, bias, norm, relu)
    rows = winning_rows(x, rising(weight, norm))
    winners = x.flatten(0, 1).index_select(0, rows.flatten()).view(*rows.shape, -1)
    return map_winners(winners, x, weight, bias, norm, relu)


def rising(weight: Tensor, norm: PointNorm | None) -> Tensor:
    """The map, without a graph, under which each channel's largest point is the largest behind the norm."""
    if norm is None or norm.weight is None:
        return weight.detach()
    # sign 0 makes all points of a channel tie, as they do where the norm's weight is 0
    return weight.detach() * norm.weight.detach().sign().unsqueeze(1)


def map_winners(
    winners: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, norm: PointNorm | None, relu: bool
) -> Tensor:
    """The layer's values at each channel's winner: (b, c, d) → (b, c).

    Args:
        x: the points that the norm's statistics are taken over, (b, n, d).
        weight, bias, norm, relu: see :func:`pooled_linear`.
    """
    pooled: Tensor = (winners * weight).sum(dim=-1)
    if bias is not None:
        pooled = pooled + bias
    if norm is not None:
        mean, var = moments(x, weight, bias, norm)
        pooled = normalise(pooled, mean, var, norm)
    return pooled.relu() if relu else pooled


@torch.no_grad()
def winning_rows(x: Tensor, weight: Tensor) -> Tensor:
    """For each cloud and channel the point with the largest ``w · x``, the first of those that tie.

    Args:
        x: (b, n, d).
        weight: (c, d).

    Returns:
        (b, c) int64, as rows of the (b · n, d) matrix of all points.
    """
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    search = _Search.apply if wrapped(x) or wrapped(weight) else _search
    points: Tensor = search(x, weight)
    return points + torch.arange(len(x), device=x.device).unsqueeze(1) * x.shape[1]


def _search(x: Tensor, weight: Tensor) -> Tensor:
    """Positions within clouds: (b, n, d) and (c, d) → (b, c), or (k, b, n, d) and (k, c, d) → (k, b, c)."""
    # NumPy's argmax along a contiguous axis is several times faster than torch's, but knows only its dtypes
    plain = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and weight.ndim == 2
    return _search_numpy(x, weight) if plain else _search_chunks(x, weight)


def _search_numpy(x: Tensor, weight: Tensor) -> Tensor:
    product = x.new_empty(len(weight), x.shape[1])
    points = np.empty((len(x), len(weight)), dtype=np.intp)
    for cloud, row in zip(x.detach(), points, strict=True):
        torch.mm(weight, cloud.mT, out=product)
        np.argmax(product.numpy(), axis=1, out=row)
    return torch.from_numpy(points)


def _search_chunks(x: Tensor, weight: Tensor) -> Tensor:
    clouds = max(1, CHUNK // (weight.shape[:-1].numel() * x.shape[-2]))
    rows = weight if weight.ndim == 2 else weight.unsqueeze(1)
    return torch.cat([(rows @ chunk.mT).argmax(dim=-1) for chunk in x.split(clouds, dim=-3)], dim=-2)


class _Search(torch.autograd.Function):
    """The search, seen by the transforms of ``torch.func``: what ``vmap`` adds is chunked with the rest."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        return _search(x.detach(), weight.detach())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None]:
        return None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> None:
        """None: positions do not move."""

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, int | None], x: Tensor, weight: Tensor
    ) -> tuple[Tensor, int]:
        one_map = in_dims[1] is None and weight.ndim == 2
        if one_map:
            assert in_dims[0] is not None
            x = x.movedim(in_dims[0], 0)
        else:
            x, weight = (
                given.expand(info.batch_size, *given.shape) if at is None else given.movedim(at, 0)
                for given, at in zip((x, weight), in_dims, strict=True)
            )
            if weight.ndim == 3:
                return _Search.apply(x, weight), 0
            weight = weight.flatten(0, 1)
        # one more axis of clouds is more clouds, and of maps more maps
        found: Tensor = _Search.apply(x.flatten(0, 1), weight)
        return found.unflatten(0, x.shape[:2]), 0
