"""Searches in clouds, made known to ``torch.func.vmap``: one more axis of clouds is more clouds."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import torch
from torch import Tensor

P = ParamSpec("P")


def batchable(search: Callable[Concatenate[Tensor, P], Tensor]) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Lets ``vmap`` run through a search in clouds, which works in place and by NumPy on plain tensors.

    Args:
        search: of (n, p, d) clouds, one after the other, and settings; gives int64 whose first axis is n.
    """

    @wraps(search)
    def searched(points: Tensor, /, *settings: P.args, **named: P.kwargs) -> Tensor:
        if not torch._C._functorch.is_functorch_wrapped_tensor(points):
            return search(points, *settings, **named)
        found: Tensor = _Search.apply(points, lambda plain: search(plain, *settings, **named))
        return found

    return searched


class _Search(torch.autograd.Function):
    """A search, seen by the transforms of ``torch.func``; it has no derivative."""

    @staticmethod
    def forward(points: Tensor, search: Callable[[Tensor], Tensor]) -> Tensor:
        return search(points.detach())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None]:
        return None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, None], points: Tensor, search: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, int]:
        assert in_dims[0] is not None
        many = points.movedim(in_dims[0], 0)
        found: Tensor = _Search.apply(many.flatten(0, 1), search)
        return found.unflatten(0, many.shape[:2]), 0
