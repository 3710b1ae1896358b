"""Farthest point sampling and the partition by it: the plain twin's indices, ties, disjoint parts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import fps, naive
from cl3d.ops.fps import farthest_points, fps_partition
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate


def clouds(n: int = 5, p: int = 23, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, p, 3, generator=generator(0, "fps"), dtype=dtype)


def lattice(n: int = 5, p: int = 23) -> Tensor:
    """Points of a small grid: many distances tie, many points coincide."""
    return torch.randint(0, 3, (n, p, 3), generator=generator(1, "fps")).double()


def on_a_line(*places: float) -> Tensor:
    return torch.tensor([[[place, 0, 0] for place in places]], dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [clouds, lattice])
def test_the_picks_are_the_twins(make, dtype):
    points = make().to(dtype)
    for start in (0, 7):
        assert torch.equal(farthest_points(points, 11, start), naive.farthest_points(points, 11, start))
    assert torch.equal(fps_partition(points, 3, 7), naive.fps_partition(points, 3, 7))


def test_on_a_line_the_ends_come_first_then_the_middle():
    points = on_a_line(0, 1, 5, 10, 4)
    assert farthest_points(points, 5).tolist() == [[0, 3, 2, 1, 4]]
    assert farthest_points(points, 2, start=3).tolist() == [[3, 0]]


def test_of_ties_the_first_wins_and_no_point_is_picked_twice():
    assert farthest_points(on_a_line(0, 1, -1, 1), 4).tolist() == [[0, 1, 2, 3]]
    coincide = torch.ones(2, 7, 3)
    assert farthest_points(coincide, 7, start=3).tolist() == 2 * [[3, 0, 1, 2, 4, 5, 6]]


def test_fewer_picks_are_the_first_of_more():
    points = clouds()
    assert torch.equal(farthest_points(points, 5), farthest_points(points, 13)[:, :5])


def test_turning_a_cloud_changes_no_pick_and_reordering_moves_the_picks():
    points = clouds()
    picks = farthest_points(points, 11)
    turned = rotate(points, random_rotations(5, generator(2, "fps")).double())
    assert torch.equal(farthest_points(turned, 11), picks)
    order = torch.randperm(23, generator=generator(3, "fps"))
    start = int((order == 0).nonzero())
    assert torch.equal(order[farthest_points(points[:, order], 11, start)], picks)


def test_parts_are_disjoint_and_begin_with_the_first_point_left():
    for points in (clouds(), lattice()):
        parts = fps_partition(points, 3, 7)
        assert parts.shape == (5, 3, 7)
        for cloud in parts.tolist():
            left = set(range(23))
            for part in cloud:
                assert part[0] == min(left)
                assert left.issuperset(part)
                left -= set(part)
            assert len(left) == 2
    assert fps_partition(on_a_line(0, 1, 5, 10, 4), 2, 2).tolist() == [[[0, 3], [1, 2]]]


def test_a_whole_cloud_is_one_part():
    points = clouds()
    assert torch.equal(fps_partition(points, 1, 23)[:, 0], farthest_points(points, 23))


def test_many_clouds_are_worked_on_in_batches(monkeypatch):
    points = clouds()
    picks, parts = farthest_points(points, 11), fps_partition(points, 2, 11)
    monkeypatch.setattr(fps, "CLOUDS_AT_ONCE", 2)
    assert torch.equal(farthest_points(points, 11), picks)
    assert torch.equal(fps_partition(points, 2, 11), parts)


def test_points_with_a_graph_and_other_strides_are_taken_and_stay_as_they_were():
    points = clouds()
    before = points.clone()
    strided = points.permute(2, 0, 1).contiguous().permute(1, 2, 0).requires_grad_()
    assert torch.equal(farthest_points(strided, 7), farthest_points(points, 7))
    assert torch.equal(points, before)


@pytest.mark.parametrize(
    ("points", "count", "start", "message"),
    [
        (clouds(), 24, 0, "24 of 23 points are asked for: give a smaller count"),
        (clouds(), 0, 0, "count=0: give a whole number from 1"),
        (clouds(), 3, 23, "start=23 in clouds of 23 points"),
        (clouds(), 3, -1, "start=-1: give a whole number from 0"),
        (clouds()[0], 3, 0, "give \\(n, p, 3\\)"),
        (clouds().half(), 3, 0, "float32 or float64"),
    ],
)
def test_what_does_not_fit_is_refused(points, count, start, message):
    with pytest.raises(InputError, match=message):
        farthest_points(points, count, start)


@pytest.mark.parametrize(
    ("parts", "size", "message"),
    [
        (3, 8, "24 of 23 points are asked for: give a smaller size"),
        (0, 3, "parts=0"),
        (3, 0, "size=0"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, size, message):
    with pytest.raises(InputError, match=message):
        fps_partition(clouds(), parts, size)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_picks_the_same():
    for points in (clouds(), lattice(), clouds(dtype=torch.float32)):
        assert torch.equal(farthest_points(points.cuda(), 11).cpu(), farthest_points(points, 11))
        assert torch.equal(fps_partition(points.cuda(), 3, 7).cpu(), fps_partition(points, 3, 7))
