"""Uniformity: the plain twin's score, cases computed by hand, symmetries; and the weights of parts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.uniformity import uniformity, uniformity_weights
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate


def clouds(n: int = 5, p: int = 23, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, p, 3, generator=generator(0, "uniformity"), dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [2, 7, 22, 100])
def test_the_score_is_the_twins(dtype, k):
    points = clouds(dtype=dtype)
    points[1, 3:11] = points[1, 2]
    got = uniformity(points, k)
    assert got.dtype == dtype
    torch.testing.assert_close(got, naive.uniformity(points, k))


def test_scores_computed_by_hand():
    # distances to the two others: 1 and 3, 1 and 2, 2 and 3
    line = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [3, 0, 0]]], dtype=torch.float64)
    each = [math.sqrt(2) / 2, math.sqrt(0.5) / 1.5, math.sqrt(0.5) / 2.5]
    assert uniformity(line).item() == pytest.approx(sum(each) / 3, rel=1e-14)


def test_an_even_cloud_scores_zero():
    corners = torch.tensor([[[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]])
    assert uniformity(corners).item() == 0


def test_coincident_points_score_zero_not_nan():
    assert uniformity(torch.ones(2, 7, 3)).tolist() == [0, 0]
    pairs = clouds(p=11).repeat(1, 5, 1)
    assert uniformity(pairs, k=3).tolist() == 5 * [0]
    assert torch.isfinite(uniformity(pairs, k=7)).all()


def test_scale_rotation_and_order_do_not_matter():
    points = clouds()
    expected = uniformity(points, 7)
    order = torch.randperm(23, generator=generator(1, "uniformity"))
    turned = rotate(points, random_rotations(5, generator(2, "uniformity")).double())
    for same in (points * 1e-3, points + 11, points[:, order], turned):
        torch.testing.assert_close(uniformity(same, 7), expected, rtol=1e-6, atol=0)
    assert not torch.allclose(uniformity(points, 5), expected)


def test_small_clouds_take_all_their_neighbours():
    points = clouds(p=7)
    assert torch.equal(uniformity(points), uniformity(points, 6))


def test_weights_are_equation_9():
    real = torch.tensor([0.2, 0.3], dtype=torch.float64)
    parts = torch.tensor([[0.2, 0.21, 0.17], [0.2, 0.3, 0.31]], dtype=torch.float64)
    gaps = [[0, 0.01, -0.03], [-0.1, 0, 0.01]]
    expected = [[math.exp(-1000 * gap**2) for gap in row] for row in gaps]
    torch.testing.assert_close(
        uniformity_weights(real, parts), torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0
    )
    assert torch.equal(uniformity_weights(real, parts, strength=0.0), torch.ones_like(parts))


def test_weights_of_a_batch_as_one():
    real, parts = uniformity(clouds()), torch.stack([uniformity(clouds(p=p)) for p in (7, 11, 13)], dim=1)
    weights = uniformity_weights(real.mean(), parts.mean(dim=0), 2.0)
    assert weights.shape == (3,)
    assert weights[1].item() == pytest.approx(math.exp(-2 * (real.mean() - parts[:, 1].mean()).item() ** 2))


@pytest.mark.parametrize(
    ("points", "k", "message"),
    [
        (clouds(p=2), 16, "clouds of 2 points have no uniformity: give at least 3"),
        (clouds(), 1, "k=1: give a whole number from 2"),
        (clouds()[0], 5, "give \\(n, p, 3\\)"),
    ],
)
def test_what_does_not_fit_is_refused(points, k, message):
    with pytest.raises(InputError, match=message):
        uniformity(points, k)


@pytest.mark.parametrize(("real", "part"), [((3,), (2, 3)), ((2, 3), (2, 3)), ((), ())])
def test_scores_that_do_not_fit_are_refused(real, part):
    with pytest.raises(InputError, match="give \\(n,\\) and \\(n, m\\)"):
        uniformity_weights(torch.zeros(real), torch.zeros(part))
