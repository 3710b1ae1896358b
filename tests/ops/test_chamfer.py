"""Chamfer distance against its definition."""

from __future__ import annotations

import torch

from cl3d.ops import naive
from cl3d.ops.chamfer import chamfer, pairwise_chamfer
from cl3d.random import generator


def test_chamfer_is_its_definition():
    first, second = (
        torch.randn(2, p, 3, generator=generator(p), dtype=torch.float64).requires_grad_() for p in (5, 7)
    )
    squares = (first.unsqueeze(2) - second.unsqueeze(1)).square().sum(3)
    plain = squares.amin(2).mean(1) + squares.amin(1).mean(1)
    fast = chamfer(first, second)
    torch.testing.assert_close(fast, plain)
    for one, other in zip(
        *(torch.autograd.grad(d.sum(), [first, second]) for d in (fast, plain)), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_all_pairs_at_once():
    clouds = torch.randn(5, 7, 3, generator=generator(1), dtype=torch.float64)
    pairs = pairwise_chamfer(clouds)
    torch.testing.assert_close(pairs, naive.pairwise_chamfer(clouds))
    torch.testing.assert_close(pairs[1, 3], chamfer(clouds[1:2], clouds[3:4])[0])
    assert pairwise_chamfer(clouds[:1]).tolist() == [[0.0]]
