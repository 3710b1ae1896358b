"""The plain twins of layers on points."""

from __future__ import annotations

from torch import Tensor, nn

from cl3d.ops.shared_linear import PointNorm


def shared_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None
) -> Tensor:
    """Twin of :func:`cl3d.ops.shared_linear.shared_linear`: a convolution of width 1, then the norm."""
    y = nn.functional.conv1d(x.mT, weight.unsqueeze(-1), bias)
    return (y if norm is None else norm(y)).mT


def pooled_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None, relu: bool = False
) -> Tensor:
    """Twin of :func:`cl3d.ops.pooled_linear.pooled_linear`: (b, n, d) → (b, n, c) → max → (b, c)."""
    y = shared_linear(x, weight, bias, norm).mT
    return (y.relu() if relu else y).max(dim=2).values
