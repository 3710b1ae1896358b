"""Searches in clouds under ``torch.func``: one more axis of clouds is more clouds."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.func import grad, vmap

from cl3d.ops.fps import farthest_points, fps_partition
from cl3d.ops.grouping import farthest_from_centre, take
from cl3d.random import generator

SEARCHES = [
    partial(farthest_points, count=7, start=2),
    partial(fps_partition, parts=3, size=5),
    partial(farthest_from_centre, count=11),
]


def clouds(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, 17, 3, generator=generator(0, "batchable"), dtype=torch.float64)


@pytest.mark.parametrize("search", SEARCHES)
def test_vmap_is_a_loop(search):
    points = clouds(3, 5)
    assert torch.equal(vmap(search)(points), torch.stack([search(batch) for batch in points]))
    # any axis may be the new one, also two of them
    turned = points.movedim(0, 2)
    assert torch.equal(vmap(search, in_dims=2)(turned), vmap(search)(points))
    nested = clouds(2, 3, 5)
    assert torch.equal(vmap(vmap(search))(nested), torch.stack([vmap(search)(batch) for batch in nested]))


@pytest.mark.parametrize("search", SEARCHES)
def test_gradients_pass_by_the_search(search):
    def energy(points):
        return take(points, search(points).flatten(1)).square().sum()

    points = clouds(3, 5)
    expected = torch.zeros_like(points)
    for batch, slot in zip(points, expected, strict=True):
        leaf = batch.clone().requires_grad_()
        energy(leaf).backward()
        slot.copy_(leaf.grad)
    assert torch.equal(vmap(grad(energy))(points), expected)
