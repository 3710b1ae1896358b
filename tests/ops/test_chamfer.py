"""Chamfer distance against its definition."""

from __future__ import annotations

import torch

from cl3d.ops import naive
from cl3d.ops.chamfer import pairwise_chamfer
from cl3d.random import generator


def test_all_pairs_at_once():
    clouds = torch.randn(5, 7, 3, generator=generator(1), dtype=torch.float64)
    pairs = pairwise_chamfer(clouds)
    torch.testing.assert_close(pairs, naive.pairwise_chamfer(clouds))
    assert pairwise_chamfer(clouds[:1]).tolist() == [[0.0]]
