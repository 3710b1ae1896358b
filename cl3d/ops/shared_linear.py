"""Shared linear layer: one linear map of all points, then a norm, folded into the map where that is exact.

Statistics over points of a linear map follow from those of its input: with mean x̄ and covariance C of
the points, channel w has mean w·x̄ + b and variance wᵀ C w. So a norm becomes a scale of the rows of W, and
neither its forward pass nor its two derivatives touch the (b, n, c) map. Clouds of few points are the
exception: see :func:`has_few_points`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from cl3d.errors import InputError

PointNorm: TypeAlias = nn.BatchNorm1d | nn.InstanceNorm1d | nn.GroupNorm
"""The norms that a shared layer may carry; their statistics run over points, never within one."""

FEW = 2
"""Below this many points per input channel a norm of one cloud is computed densely."""


def shared_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None
) -> Tensor:
    """Applies ``norm(W x + b)`` to every point, differentiable to any order.

    Args:
        x: (b, n, d) floating point.
        weight: (c, d).
        bias: (c,) or None.
        norm: of c channels, in the mode it is in; a BatchNorm in train mode updates its running
            statistics as it would when called.

    Returns:
        (b, n, c).

    Raises:
        InputError: if shapes do not fit, the norm is of another kind, or there is one value to normalise.
    """
    check_shared(x, weight, bias, norm)
    if norm is None:
        return nn.functional.linear(x, weight, bias)
    if has_few_points(x, norm):
        dense: Tensor = norm(nn.functional.linear(x, weight, bias).mT)
        return dense.mT
    if isinstance(norm, nn.BatchNorm1d) and uses_batch(norm):
        # here torch's own kernel is the faster way: over the rows it passes but once
        y: Tensor = norm(nn.functional.linear(x, weight, bias).flatten(0, 1))
        return y.view(*x.shape[:2], -1)
    mean, var = moments(x, weight, bias, norm)
    folded = scale_of(norm, var).unsqueeze(-1) * weight
    shift = normalise(torch.zeros_like(mean) if bias is None else bias, mean, var, norm)
    if folded.ndim == 2:
        return nn.functional.linear(x, folded, shift)
    return torch.baddbmm(shift.unsqueeze(1), x, folded.mT)


def has_few_points(x: Tensor, norm: PointNorm | None) -> bool:
    """Whether a norm of one cloud is cheaper densely: a (d, d) covariance costs what the (n, c) map does.

    Args:
        x: (b, n, d), the layer's input.
    """
    return isinstance(norm, nn.InstanceNorm1d | nn.GroupNorm) and x.shape[1] < FEW * x.shape[2]


def moments(x: Tensor, weight: Tensor, bias: Tensor | None, norm: PointNorm) -> tuple[Tensor, Tensor]:
    """Mean and biased variance by which ``norm`` normalises ``W x + b``, without forming it.

    Returns:
        Two tensors, (c,) for BatchNorm and (b, c) for norms of one cloud.
    """
    if isinstance(norm, nn.InstanceNorm1d):
        return _linear_moments(x, weight, bias)
    if isinstance(norm, nn.GroupNorm):
        return _over_groups(*_linear_moments(x, weight, bias), norm.num_groups)
    if not uses_batch(norm):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        return norm.running_mean, norm.running_var
    mean, var = _linear_moments(x.flatten(0, 1), weight, bias)
    _track(norm, mean.detach(), var.detach(), x.shape[0] * x.shape[1])
    return mean, var


def normalise(values: Tensor, mean: Tensor, var: Tensor, norm: PointNorm) -> Tensor:
    """Centres, scales and applies the norm's weight and bias: all of shapes that broadcast to (b, c)."""
    result = (values - mean) * scale_of(norm, var)
    return result if norm.bias is None else result + norm.bias


def scale_of(norm: PointNorm, var: Tensor) -> Tensor:
    """The factor that ``norm`` puts on each channel, of the shape of ``var``."""
    scale = (var + norm.eps).rsqrt()
    return scale if norm.weight is None else scale * norm.weight


def point_by_point(norm: PointNorm | None) -> bool:
    """Whether the norm, if there is one, treats each point by itself."""
    return norm is None or (isinstance(norm, nn.BatchNorm1d) and not uses_batch(norm))


def uses_batch(norm: nn.BatchNorm1d) -> bool:
    """Whether the norm takes its statistics from the batch, not from its running ones."""
    return norm.training or norm.running_mean is None


def check_shared(x: Tensor, weight: Tensor, bias: Tensor | None, norm: nn.Module | None) -> None:
    """Refuses what a shared linear layer cannot take.

    Raises:
        InputError: see :func:`shared_linear`.
    """
    if x.ndim != 3 or x.shape[1] == 0 or weight.ndim != 2 or x.shape[2] != weight.shape[1]:
        raise InputError(
            f"points of shape {tuple(x.shape)} under a weight of shape {tuple(weight.shape)}: "
            "give (b, n, d) with at least one point, and (c, d)"
        )
    # of one channel either would go over all by broadcasting
    if bias is not None and bias.shape != weight.shape[:1]:
        raise InputError(f"a bias of shape {tuple(bias.shape)} for {len(weight)} channels: give (c,)")
    if norm is not None:
        _check_norm(x, len(weight), norm)


def _check_norm(x: Tensor, channels: int, norm: nn.Module) -> None:
    values = 2
    if type(norm) is nn.BatchNorm1d:
        own, values = norm.num_features, x.shape[0] * x.shape[1] if uses_batch(norm) else values
    elif type(norm) is nn.InstanceNorm1d and not norm.track_running_stats:
        own, values = norm.num_features, x.shape[1]
    elif type(norm) is nn.GroupNorm:
        own, values = norm.num_channels, x.shape[0] * x.shape[1] * channels // norm.num_groups
    else:
        # subclasses (synchronised, lazy) and running instance statistics do more than the formulas here
        raise InputError(
            f"{norm} cannot be folded: give BatchNorm1d, GroupNorm, or InstanceNorm1d that tracks nothing"
        )
    if own != channels:
        raise InputError(f"{norm} of {channels} channels: give a norm of as many")
    if values < 2:
        other = ", or use eval mode" if isinstance(norm, nn.BatchNorm1d) else ""
        raise InputError(f"{norm} has one value per channel to normalise: give more points{other}")


def _linear_moments(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of ``W x + b`` over the points: (..., n, d) → twice (..., c)."""
    with torch.autocast(x.device.type, enabled=False):
        # under autocast x may be bfloat16, in which a variance has no digits
        return _exact_moments(x.to(weight.dtype), weight, bias)


def _exact_moments(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    mean = x.mean(dim=-2)
    # centred first: the difference of two second moments has no digits left where the mean is large
    covariance = _gram(x - mean.unsqueeze(-2)) / x.shape[-2]
    # wᵀ C w as one product with all clouds' rows, which makes the weight's gradient one product, too
    var = (nn.functional.linear(covariance, weight) * weight.mT.contiguous()).sum(dim=-2)
    # rounding may leave less than 0; clamped, the second derivative would be lost where there is no spread
    return nn.functional.linear(mean, weight, bias), var - var.detach().clamp_max(0)


def _over_groups(mean: Tensor, var: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Moments per channel to those of the channel's group, at each channel: (b, c) → (b, c)."""
    size = mean.shape[1] // groups
    mean, var = mean.view(-1, groups, size), var.view(-1, groups, size)
    whole = mean.mean(dim=2, keepdim=True)
    spread = (var + (mean - whole).square()).mean(dim=2, keepdim=True)
    return whole.expand_as(mean).flatten(1), spread.expand_as(mean).flatten(1)


def _track(norm: nn.BatchNorm1d, mean: Tensor, var: Tensor, count: int) -> None:
    """Updates the running statistics as a call of ``norm`` would."""
    if not (norm.training and norm.track_running_stats) or norm.running_mean is None:
        return
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.mul_(1 - momentum).add_(mean, alpha=momentum)
    norm.running_var.mul_(1 - momentum).add_(var, alpha=momentum * count / (count - 1))


class _Gram(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.mT @ x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.matmul(x, grad + grad.mT)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        half: Tensor = x.mT @ tangent
        return half + half.mT


def _gram(x: Tensor) -> Tensor:
    """xᵀ x over the last two dimensions, with a backward of one product where autograd's own takes two."""
    result: Tensor = _Gram.apply(x)
    return result
