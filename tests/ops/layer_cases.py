"""Norms, points and weights for tests of the pooled and the shared linear layer, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cl3d.ops.shared_linear import PointNorm
from cl3d.random import generator

B, N, D, C = 3, 11, 5, 12
NORMS = [
    "none",
    "batch",
    "batch eval",
    "batch untracked",
    "instance",
    "instance affine",
    "group",
    "group plain",
]


def make_norm(name: str, channels: int = C) -> PointNorm | None:
    kind, _, variant = name.partition(" ")
    if kind == "none":
        return None
    norm: PointNorm
    if kind == "batch":
        norm = nn.BatchNorm1d(channels, track_running_stats=variant != "untracked")
    elif kind == "instance":
        norm = nn.InstanceNorm1d(channels, affine=variant == "affine")
    else:
        norm = nn.GroupNorm(3, channels, affine=variant != "plain")
    norm.double().train(variant not in ("eval", "untracked"))
    draws = generator(5, name)
    for tensor in [*norm.parameters(), *(b for b in norm.buffers() if b.is_floating_point())]:
        tensor.data.copy_(torch.randn(channels, generator=draws, dtype=torch.float64))
    if isinstance(norm, nn.BatchNorm1d) and norm.running_var is not None:
        norm.running_var.abs_().add_(0.1)
    if norm.weight is not None:
        assert (norm.weight < 0).any()
        norm.weight.data[1] = 0  # all points of this channel tie
    return norm


def make_inputs(*key: str | int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    draws = generator(3, *key)
    shapes = [(B, N, D), (C, D), (C,)]
    x, weight, bias = (torch.randn(s, generator=draws, dtype=dtype).requires_grad_() for s in shapes)
    return x, weight, bias


def derivatives(layer: Callable[..., Tensor], x: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    """Value, gradients with respect to everything, and a gradient of those gradients."""
    inputs = [x, *parameters]
    value = layer()
    probe = torch.linspace(-1, 2, value.numel(), dtype=x.dtype).view_as(value)
    first = torch.autograd.grad((value.square() * probe).sum(), inputs, create_graph=True)
    mixed = sum((g.sin() * torch.linspace(1, 2, g.numel(), dtype=g.dtype).view_as(g)).sum() for g in first)
    return [value, *first, *torch.autograd.grad(mixed, inputs)]


def assert_all_close(got: list[Tensor], expected: list[Tensor], rtol: float = 1e-12) -> None:
    for a, b in zip(got, expected, strict=True):
        scale = b.abs().max().clamp_min(1)
        torch.testing.assert_close(a / scale, b / scale, rtol=0, atol=rtol)
