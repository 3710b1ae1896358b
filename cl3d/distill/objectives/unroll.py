"""Gradient descent on a synthetic set as one differentiable function, at the memory of one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def unroll(
    net: nn.Module,
    start: Sequence[Tensor],
    points: Tensor,
    labels: Tensor,
    rows: Sequence[Tensor],
    lr: Tensor,
) -> tuple[Tensor, ...]:
    """The weights after a step of gradient descent on the mean cross-entropy of each batch.

    Memory does not grow with the steps beyond one copy of the weights for each: the backward pass goes
    through the steps one at a time and computes each anew.

    Args:
        net: is used with other weights and left as it is.
        start: the weights at first, in the order of ``net.parameters()``.
        points: (m, p, 3) with labels (m,), and a gradient path where asked for.
        rows: the indices of each step's clouds, none twice in one step.
        lr: a scalar, with a gradient path where asked for.
    """
    after: tuple[Tensor, ...] = _Unroll.apply(points, labels, net, rows, lr, *start)
    return after


class _Unroll(torch.autograd.Function):
    """Steps of gradient descent on cross-entropy, whose backward pass keeps one step's graph at a time.

    theta_{t+1} = theta_t - lr g(theta_t, x_t); going back, a cotangent v of theta_{t+1} gives
    v - lr (dg/dtheta)^T v for theta_t, -lr (dg/dx)^T v for x_t and -g^T v for lr.
    """

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        labels: Tensor,
        net: nn.Module,
        rows: Sequence[Tensor],
        lr: Tensor,
        *start: Tensor,
    ) -> tuple[Tensor, ...]:
        weights = list(start)
        ctx.points, ctx.labels, ctx.net, ctx.lr = points.detach(), labels, net, lr.detach()
        ctx.visited = []
        for batch in rows:
            ctx.visited.append((batch, weights))
            _, _, slope = _slope(net, weights, ctx.points[batch], labels[batch], create_graph=False)
            weights = [w - ctx.lr * s for w, s in zip(weights, slope, strict=True)]
        return tuple(weights)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        back = list(cotangents)
        of_points, of_lr = torch.zeros_like(ctx.points), torch.zeros_like(ctx.lr)
        for batch, weights in reversed(ctx.visited):
            leaves, x, slope = _slope(
                ctx.net, weights, ctx.points[batch], ctx.labels[batch], create_graph=True
            )
            with torch.enable_grad():
                inner = torch.stack([(s * v).sum() for s, v in zip(slope, back, strict=True)]).sum()
            *of_weights, of_x = torch.autograd.grad(inner, [*leaves, x], materialize_grads=True)
            back = [v - ctx.lr * w for v, w in zip(back, of_weights, strict=True)]
            of_points[batch] -= ctx.lr * of_x
            of_lr -= inner.detach()
        return (of_points, None, None, None, of_lr, *back)


def _slope(
    net: nn.Module, weights: Sequence[Tensor], points: Tensor, labels: Tensor, create_graph: bool
) -> tuple[list[Tensor], Tensor, Sequence[Tensor]]:
    """Gradient of the mean cross-entropy: leaves for weights and points, and the gradient by the weights."""
    leaves = [w.detach().requires_grad_() for w in weights]
    x = points.detach().requires_grad_(create_graph)
    named = dict(zip((name for name, _ in net.named_parameters()), leaves, strict=True))
    with torch.enable_grad():
        loss = nn.functional.cross_entropy(torch.func.functional_call(net, named, (x,)), labels)
        slope = torch.autograd.grad(loss, leaves, create_graph=create_graph, materialize_grads=True)
    return leaves, x, slope
