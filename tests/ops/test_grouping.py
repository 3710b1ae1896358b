"""Groups: values by index, where sampling begins, nearest points and balls, against the plain twins."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import grouping, naive
from cl3d.ops.ball_query import ball_query
from cl3d.ops.grouping import farthest_from_centre, in_order, nearest_points, take
from cl3d.random import generator


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator(0, "grouping", *shape), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(5, 7), (5, 11, 3)])
def test_values_are_taken_from_their_own_cloud(shape):
    values = draw(5, 13, 2)
    indices = torch.randint(13, shape, generator=generator(1, "grouping"))
    expected = torch.stack([cloud[where] for cloud, where in zip(values, indices, strict=True)])
    assert torch.equal(take(values, indices), expected)


def test_taking_is_differentiable_twice():
    indices = torch.randint(7, (3, 5, 2), generator=generator(1, "grouping"))
    values = draw(3, 7, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: take(x.sin(), indices), (values,))
    assert torch.autograd.gradgradcheck(lambda x: take(x.sin(), indices), (values,))


def test_clouds_in_order_are_the_same_tensor_whatever_their_order():
    points = draw(3, 31, 4).round()
    order = torch.randperm(31, generator=generator(2, "grouping"))
    (first, back), (second, _) = in_order(points), in_order(points[:, order])
    assert torch.equal(first, second)
    assert torch.equal(take(first, back), points)
    assert (first[:, 1:, 0] >= first[:, :-1, 0]).all()


@pytest.mark.parametrize("count", [1, 7, 23, 29])
def test_sampling_is_the_twins(count):
    points = draw(5, 23, 3)
    picks = farthest_from_centre(points, count)
    assert torch.equal(picks, naive.farthest_from_centre(points, count))
    assert picks.shape == (5, min(count, 23))


def test_sampling_picks_the_same_places_in_any_order():
    points = draw(5, 23, 3)
    order = torch.randperm(23, generator=generator(2, "grouping"))
    moved = points[:, order]
    assert torch.equal(
        take(moved, farthest_from_centre(moved, 11)), take(points, farthest_from_centre(points, 11))
    )


@pytest.mark.parametrize("dimensions", [2, 3, 5, 17])
@pytest.mark.parametrize("k", [1, 7, 31])
def test_nearest_points_are_the_twins(dimensions, k):
    points, queries = draw(5, 23, dimensions) + 3, draw(5, 11, dimensions) + 3
    found = nearest_points(points, queries, k)
    assert torch.equal(found, naive.nearest_points(points, queries, k))
    assert found.shape == (5, 11, min(k, 23))


@pytest.mark.parametrize("dimensions", [3, 5])
def test_a_point_is_nearest_to_itself(dimensions):
    points = draw(5, 23, dimensions)
    assert (nearest_points(points, points, 2)[..., 0] == torch.arange(23)).all()


def test_many_clouds_are_searched_in_chunks(monkeypatch):
    points, queries = draw(5, 23, 3), draw(5, 11, 3)
    expected = nearest_points(points, queries, 7)
    monkeypatch.setattr(grouping, "CHUNK", 2 * 23 * 11)
    assert torch.equal(nearest_points(points, queries, 7), expected)


@pytest.mark.parametrize("radius", [0.05, 0.5, 1.3, 10.0])
@pytest.mark.parametrize("k", [1, 7, 31])
def test_balls_are_the_twins(radius, k):
    points, centres = draw(5, 23, 3), draw(5, 11, 3)
    found = ball_query(points, centres, radius, k)
    assert torch.equal(found, naive.ball_query(points, centres, radius, k))
    assert found.shape == (5, 11, min(k, 23))


def test_a_ball_by_hand():
    points, centres = torch.zeros(1, 4, 3), torch.zeros(1, 4, 3)
    points[0, :, 0] = torch.tensor([0.0, 1, 3, 7])
    centres[0, :, 0] = torch.tensor([0.25, 3, 5.5, 99])
    # a point at the radius is outside; what is missing is the nearest again; so it is where none is inside
    assert ball_query(points, centres, 2.0, 3).tolist() == [[[0, 1, 0], [2, 2, 2], [3, 3, 3], [3, 3, 3]]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ball_query(draw(2, 5, 3), draw(2, 3, 3), 0.0, 2), "radius=0.0: give a number above 0"),
        (lambda: ball_query(draw(2, 5, 2), draw(2, 3, 2), 1.0, 2), "give \\(n, p, 3\\)"),
        (lambda: nearest_points(draw(2, 5, 3), draw(2, 3, 3), 0), "k=0: give a whole number from 1"),
        (lambda: nearest_points(draw(2, 5, 3), draw(2, 3, 2), 1), "give \\(n, p, d\\)"),
        (lambda: nearest_points(draw(2, 0, 3), draw(2, 3, 3), 1), "with at least one point"),
        (lambda: farthest_from_centre(draw(2, 5, 2), 3), "give \\(n, p, 3\\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_the_same():
    points, queries = draw(5, 23, 3), draw(5, 11, 3)
    for search in (
        lambda p, q: nearest_points(p, q, 7),
        lambda p, q: ball_query(p, q, 1.3, 7),
        lambda p, q: farthest_from_centre(p, 11),
    ):
        assert torch.equal(search(points.cuda(), queries.cuda()).cpu(), search(points, queries))
