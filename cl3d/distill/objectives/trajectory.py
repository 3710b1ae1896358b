"""MTT: a network trained on the set ends where one trained on the real data went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.experts import Waypoint
from cl3d.errors import InputError, check_positive, check_whole
from cl3d.models import Backbone
from cl3d.random import generator


@dataclass(frozen=True)
class TrajectoryMatching:
    """Distance of a student from where an expert went (Cazenavette et al., CVPR 2022, eq. 2).

    The student starts from the expert's weights after some epoch, takes ``steps`` steps of gradient descent
    on the set, and is compared with the expert some epochs later:
    || student - target ||^2 / || start - target ||^2.

    Memory does not grow with ``steps`` beyond one copy of the weights for each: the backward pass goes
    through the steps one at a time and computes each anew.

    Attributes:
        steps: n, of the student.
        batch_size: synthetic clouds per step, drawn anew for each step and iteration.
        student_lr: its learning rate; the paper learns it along with the set, here it is given.
    """

    steps: int = 10
    batch_size: int = 64
    student_lr: float = 0.01
    joint: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)
        check_whole("batch_size", self.batch_size, 1)
        check_positive("student_lr", self.student_lr)

    @property
    def passes(self) -> tuple[float, float]:
        """Each step passes a cloud, and going back its gradient's gradient; small batches cost less."""
        return 0.0, 5.0 * self.steps

    def __call__(self, net: Backbone, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.objectives.Objective`."""
        if not isinstance(net, Waypoint):
            raise InputError("trajectory matching looks through experts: give surrogates=experts")
        start = [p.detach() for p in net.net.parameters()]
        rows = [
            torch.randperm(len(synthetic), generator=generator(net.seed, "unroll", step))[: self.batch_size]
            for step in range(self.steps)
        ]
        student = _Unroll.apply(synthetic.points, synthetic.labels, net.net, rows, self.student_lr, *start)
        gaps = [_squared(s, t) for s, t in zip(student, net.target, strict=True)]
        length = sum(float(_squared(s, t)) for s, t in zip(start, net.target, strict=True))
        return torch.stack(gaps).sum() / max(length, torch.finfo(torch.float32).tiny)


class _Unroll(torch.autograd.Function):
    """Steps of gradient descent on cross-entropy, whose backward pass keeps one step's graph at a time.

    theta_{t+1} = theta_t - lr g(theta_t, x_t); going back, a cotangent v of theta_{t+1} gives
    v - lr (dg/dtheta)^T v for theta_t and -lr (dg/dx)^T v for x_t.
    """

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        labels: Tensor,
        net: nn.Module,
        rows: Sequence[Tensor],
        lr: float,
        *start: Tensor,
    ) -> tuple[Tensor, ...]:
        weights = list(start)
        ctx.points, ctx.labels, ctx.net, ctx.lr = points.detach(), labels, net, lr
        ctx.visited = []
        for batch in rows:
            ctx.visited.append((batch, weights))
            _, _, slope = _slope(net, weights, ctx.points[batch], labels[batch], create_graph=False)
            weights = [w - lr * s for w, s in zip(weights, slope, strict=True)]
        return tuple(weights)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        back = list(cotangents)
        of_points = torch.zeros_like(ctx.points)
        for batch, weights in reversed(ctx.visited):
            leaves, x, slope = _slope(
                ctx.net, weights, ctx.points[batch], ctx.labels[batch], create_graph=True
            )
            with torch.enable_grad():
                inner = torch.stack([(s * v).sum() for s, v in zip(slope, back, strict=True)]).sum()
            *of_weights, of_x = torch.autograd.grad(inner, [*leaves, x], materialize_grads=True)
            back = [v - ctx.lr * w for v, w in zip(back, of_weights, strict=True)]
            of_points[batch] -= ctx.lr * of_x
        return (of_points, None, None, None, None, *back)


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


def _squared(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().sum()
