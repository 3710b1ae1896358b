"""The Mamba block: a gated, selective state space model of a sequence.

A. Gu, T. Dao, "Mamba: Linear-time sequence modeling with selective state spaces", 2023, section 3.4 and
figure 3; sizes and initial weights as in the authors' code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cl3d.ops.selective_scan import selective_scan

STATE, EXPANSION, KERNEL = 16, 2, 4
"""States of each channel, channels inside to outside, places that the convolution sees."""

STEPS, LEAST_STEP = (1e-3, 1e-1), 1e-4
"""Initial steps are drawn between the two, uniform in the logarithm."""


class MambaBlock(nn.Module):
    """Convolution along the sequence, selective scan, gate, linear layer; each place sees those before it.

    Args:
        width: channels of the sequence.
        depth: blocks in the network; the last layer's initial weights are divided by its root.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        inner, self.rank = EXPANSION * width, math.ceil(width / 16)
        self.enter = nn.Linear(width, 2 * inner, bias=False)
        self.convolution = CausalConvolution(inner)
        self.select = nn.Linear(inner, self.rank + 2 * STATE, bias=False)
        self.step = nn.Linear(self.rank, inner)
        self.log_rates = nn.Parameter(torch.arange(1.0, STATE + 1).log().repeat(inner, 1))
        self.direct = nn.Parameter(torch.ones(inner))
        self.leave = nn.Linear(inner, width, bias=False)
        self._start(depth)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, width) → the same shape."""
        x, gate = self.enter(x).chunk(2, dim=-1)
        x = nn.functional.silu(self.convolution(x))
        step, inputs, outputs = self.select(x).split([self.rank, STATE, STATE], dim=-1)
        steps = nn.functional.softplus(self.step(step))
        y = selective_scan(x, steps, -self.log_rates.exp(), inputs, outputs) + self.direct * x
        result: Tensor = self.leave(y * nn.functional.silu(gate))
        return result

    @torch.no_grad()
    def _start(self, depth: int) -> None:
        self.leave.weight.div_(math.sqrt(depth))
        nn.init.uniform_(self.step.weight, -(self.rank**-0.5), self.rank**-0.5)
        low, high = (math.log(bound) for bound in STEPS)
        steps = torch.empty_like(self.step.bias).uniform_(low, high).exp().clamp_min(LEAST_STEP)
        # softplus of this is the step
        self.step.bias.copy_(steps + torch.log(-torch.expm1(-steps)))


class CausalConvolution(nn.Module):
    """A convolution of each channel by itself, over the last ``KERNEL`` places of the sequence."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        bound = KERNEL**-0.5
        self.weight = nn.Parameter(torch.empty(KERNEL, channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, channels) → the same shape."""
        padded = nn.functional.pad(x, (0, 0, KERNEL - 1, 0))
        y = self.bias
        for place, weight in enumerate(self.weight):
            y = y + weight * padded[:, place : place + x.shape[1]]
        return y


class Residual(nn.Module):
    """x plus a Mamba block on its norm, which a cloud skips with some probability in training."""

    def __init__(self, width: int, depth: int, drop: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.block = MambaBlock(width, depth)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, width) → the same shape."""
        kept = self.drop(x.new_ones(len(x), 1, 1))
        result: Tensor = x + kept * self.block(self.norm(x))
        return result


def mamba_blocks(width: int, depth: int, drop_path: float) -> nn.ModuleList:
    """Residual Mamba blocks.

    Args:
        width: channels of the sequence.
        depth: number of blocks.
        drop_path: probability that the last is skipped in training; it grows from 0 in the first.
    """
    shares = [drop_path * block / max(1, depth - 1) for block in range(depth)]
    return nn.ModuleList([Residual(width, depth, share) for share in shares])
