"""The linear recurrence of state space models, run in parallel over the sequence.

A. Gu, T. Dao, "Mamba: Linear-time sequence modeling with selective state spaces", 2023, section 3.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cl3d.errors import InputError


def selective_scan(x: Tensor, steps: Tensor, rates: Tensor, inputs: Tensor, outputs: Tensor) -> Tensor:
    """The selective state space model: a linear recurrence whose coefficients depend on the sequence.

    With Δ the steps, A the rates, B the inputs and C the outputs (Mamba, eq. 2 and algorithm 2)::

        h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t x_t,    y_t = C_t · h_t,    h before the first = 0

    Nothing overflows: with steps from 0 and rates up to 0 every decay is at most 1, and only decays are
    multiplied. No exponential of a positive number and no quotient of decays is ever formed, as the closed
    forms by cumulative sums have them.

    Args:
        x: (b, l, d) floating point, any length l from 1.
        steps: (b, l, d), at least 0.
        rates: (d, n), at most 0.
        inputs: (b, l, n), what of x enters each of the n states.
        outputs: (b, l, n), what of each state leaves it.

    Returns:
        (b, l, d), differentiable to any order by all five.

    Raises:
        InputError: if the shapes do not fit.
    """
    if (
        x.ndim != 3
        or steps.shape != x.shape
        or rates.shape != (x.shape[2], inputs.shape[-1])
        or not inputs.shape == outputs.shape == (*x.shape[:2], rates.shape[1])
        or x.shape[1] == 0
    ):
        shapes = ", ".join(str(tuple(t.shape)) for t in (x, steps, rates, inputs, outputs))
        raise InputError(
            f"a scan of shapes {shapes}: give (b, l, d) twice with l from 1, (d, n), and (b, l, n) twice"
        )
    decays = torch.exp(steps.unsqueeze(3) * rates)
    states = linear_scan(decays, (steps * x).unsqueeze(3) * inputs.unsqueeze(2))
    return torch.einsum("bldn,bln->bld", states, outputs)


def linear_scan(decays: Tensor, added: Tensor) -> Tensor:
    """All states of h_t = decays_t h_{t-1} + added_t, with h before the first = 0.

    Neighbours are merged in pairs until one is left, and filled in on the way back (odd-even reduction):
    2 log2(l) steps, each over the whole tensor, and twice the multiplications of a loop. The gradient of a
    scan is a scan backwards, so no more than the decays and the states are kept for it.

    Args:
        decays: (b, l, ...) floating point.
        added: the same shape.

    Returns:
        The same shape, differentiable to any order.
    """
    states: Tensor = _LinearScan.apply(decays, added)
    return states


def _scan(decays: Tensor, added: Tensor) -> Tensor:
    length = added.shape[1]
    if length == 1:
        return added
    first, second = (slice(0, length - 1, 2), slice(1, None, 2))
    odd = _scan(decays[:, first] * decays[:, second], decays[:, second] * added[:, first] + added[:, second])
    # the states at even places follow from those before them; the first is what is added there
    later = decays[:, 2::2] * odd[:, : (length - 1) // 2] + added[:, 2::2]
    even = torch.cat([added[:, :1], later], dim=1)
    pairs = torch.stack([even[:, : odd.shape[1]], odd], dim=2).flatten(1, 2)
    return torch.cat([pairs, even[:, odd.shape[1] :]], dim=1)


class _LinearScan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(decays: Tensor, added: Tensor) -> Tensor:
        return _scan(decays, added) if added.shape[1] > 1 else added.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        decays, states = ctx.saved_tensors
        # what a state is worth: its own gradient, and that of the next times the decay on the way there
        following = torch.cat([decays[:, 1:], torch.zeros_like(decays[:, :1])], dim=1)
        worth = linear_scan(following.flip(1), grad.flip(1)).flip(1)
        before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
        return worth * before, worth
