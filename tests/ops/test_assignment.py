"""Alignment of two clouds: the best of all permutations, known answers, symmetries."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.assignment import align
from cl3d.random import generator
from cl3d.rotations import random_rotations


def cloud(p: int, *key: str | int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(p, 3, generator=generator(0, "assignment", *key), dtype=dtype)


def cost(points: Tensor, reference: Tensor, order: Tensor) -> float:
    return (points[order] - reference).norm(dim=1).sum().item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [1, 2, 3, 5, 6])
def test_the_order_is_the_best_of_all(p, dtype):
    for draw in range(7):
        points, reference = cloud(p, draw, "a", dtype=dtype), cloud(p, draw, "b", dtype=dtype)
        order = align(points, reference)
        assert order.dtype == torch.int64
        assert torch.equal(order, naive.align(points, reference))


def test_ties_cost_no_more_than_the_twins_choice():
    for draw in range(7):
        points, reference = (
            torch.randint(0, 2, (5, 3), generator=generator(draw, "ties", side)).double() for side in "ab"
        )
        order = align(points, reference)
        assert order.sort().values.tolist() == list(range(5))
        best = cost(points, reference, naive.align(points, reference))
        assert cost(points, reference, order) == pytest.approx(best, abs=1e-12)


def test_it_is_the_sum_of_distances_not_of_their_squares():
    # distances 2 and 2.6, or 0 and 4.5: squares would prefer the first
    points = torch.tensor([[0.0, 0, 0], [2, 0, 0]])
    reference = torch.tensor([[2.0, 0, 0], [2 + 2.4, 1, 0]])
    assert align(points, reference).tolist() == [1, 0]
    assert cost(points, reference, torch.tensor([1, 0])) < cost(points, reference, torch.tensor([0, 1]))


def test_a_shuffled_cloud_is_put_back():
    reference = cloud(101)
    order = torch.randperm(101, generator=generator(1, "assignment"))
    assert torch.equal(reference[order][align(reference[order], reference)], reference)
    assert align(reference, reference).tolist() == list(range(101))


def test_turning_both_changes_nothing_and_reordering_either_moves_the_pairs():
    points, reference = cloud(23, "a"), cloud(23, "b")
    expected = align(points, reference)
    turn = random_rotations(1, generator(2, "assignment"))[0].double()
    assert torch.equal(align(points @ turn + 3, reference @ turn + 3), expected)
    order = torch.randperm(23, generator=generator(3, "assignment"))
    assert torch.equal(order[align(points[order], reference)], expected)
    assert torch.equal(align(points, reference[order]), expected[order])


@pytest.mark.parametrize(
    ("points", "reference", "message"),
    [
        (cloud(5), cloud(7), "give twice the same \\(p, 3\\)"),
        (torch.zeros(2, 5, 3), torch.zeros(3, 5, 3), "give twice the same \\(p, 3\\)"),
        (torch.zeros(5, 3), torch.zeros(2, 5, 3), "give twice the same \\(p, 3\\)"),
        (torch.zeros(2, 5, 2), torch.zeros(2, 5, 2), "give twice the same \\(p, 3\\)"),
        (torch.zeros(3), torch.zeros(3), "give twice the same \\(p, 3\\)"),
        (cloud(5), cloud(5) / 0, "NaN or infinite"),
    ],
)
def test_what_does_not_fit_is_refused(points, reference, message):
    with pytest.raises(InputError, match=message):
        align(points, reference)


def test_many_clouds_are_aligned_each_for_itself():
    draws = generator(7, "batch")
    points, reference = torch.randn(2, 3, 17, 3, generator=draws)
    groups = torch.randint(3, (3, 17), generator=draws)
    for to in (reference, reference[0]):
        single = [align(own, to if to.ndim == 2 else to[i]) for i, own in enumerate(points)]
        assert torch.equal(align(points, to), torch.stack(single))
    for given in (groups, groups[0]):
        single = [
            align(own, reference[i], given if given.ndim == 1 else given[i]) for i, own in enumerate(points)
        ]
        assert torch.equal(align(points, reference, given), torch.stack(single))
    assert align(points[:0], reference[0]).shape == (0, 17)


def test_partners_are_of_one_group():
    draws = generator(5, "groups")
    points, reference = torch.randn(2, 17, 3, generator=draws)
    groups = torch.randint(3, (17,), generator=draws)
    order = align(points, reference, groups)
    assert torch.equal(order.sort().values, torch.arange(17))
    assert torch.equal(groups[order], groups)
    for group in range(3):
        mine = (groups == group).nonzero().squeeze(1)
        assert torch.equal(points[order][mine], points[mine][align(points[mine], reference[mine])])
    assert torch.equal(align(points, reference, torch.zeros(17)), align(points, reference))
    with pytest.raises(InputError, match="groups of shape"):
        align(points, reference, groups[:3])
