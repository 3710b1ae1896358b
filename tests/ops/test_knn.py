"""Nearest neighbours: both searches against the plain twin, points that coincide, symmetries."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import knn, naive
from cl3d.ops.knn import nearest_neighbours
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate

SEARCHES = [nearest_neighbours, knn._by_tree, knn._by_distances]


def clouds(n: int = 5, p: int = 23, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, p, 3, generator=generator(0, "knn"), dtype=dtype)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 7, 22])
def test_the_neighbours_are_the_twins(search, dtype, k):
    points = clouds(dtype=dtype)
    distances, indices = search(points, k)
    expected, where = naive.nearest_neighbours(points, k)
    torch.testing.assert_close(distances, expected)
    assert torch.equal(indices, where)


@pytest.mark.parametrize("search", SEARCHES)
def test_on_a_line_the_neighbours_are_known(search):
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [7, 0, 0]]])
    distances, indices = search(points, 2)
    assert indices.tolist() == [[[1, 2], [0, 2], [1, 0], [2, 1]]]
    assert distances.tolist() == [[[1, 3], [1, 2], [2, 3], [4, 6]]]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("copies", [2, 3, 11])
def test_copies_of_a_point_are_its_neighbours_and_it_is_not(search, copies):
    points = clouds(p=3).repeat(1, copies, 1)
    for k in (1, copies - 1, copies, 3 * copies - 1):
        distances, indices = search(points, k)
        torch.testing.assert_close(distances, naive.nearest_neighbours(points, k)[0])
        assert not (indices == torch.arange(3 * copies).view(-1, 1)).any()
        assert indices.sort(dim=2).values.diff(dim=2).ne(0).all()
        pairs = points.unsqueeze(1).expand(-1, 3 * copies, -1, -1)
        neighbours = pairs.gather(2, indices.unsqueeze(-1).expand(-1, -1, -1, 3))
        torch.testing.assert_close((neighbours - points.unsqueeze(2)).norm(dim=-1), distances)
        assert (distances[:, :, : copies - 1] == 0).all()


def test_turning_changes_no_neighbour_and_reordering_moves_them():
    points = clouds()
    distances, indices = nearest_neighbours(points, 7)
    turned = rotate(points, random_rotations(5, generator(1, "knn")).double())
    assert torch.equal(nearest_neighbours(turned, 7)[1], indices)
    order = torch.randperm(23, generator=generator(2, "knn"))
    moved, where = nearest_neighbours(points[:, order], 7)
    assert torch.equal(moved, distances[:, order])
    assert torch.equal(order[where], indices[:, order])


def test_large_sets_are_searched_in_chunks(monkeypatch):
    points = clouds()
    expected = knn._by_distances(points, 7)
    monkeypatch.setattr(knn, "CHUNK", 2 * 23 * 23)
    for got, whole in zip(knn._by_distances(points, 7), expected, strict=True):
        assert torch.equal(got, whole)


def test_points_with_a_graph_are_taken_as_they_are():
    distances, _ = nearest_neighbours(clouds().requires_grad_(), 3)
    assert not distances.requires_grad


@pytest.mark.parametrize(
    ("points", "k", "message"),
    [
        (clouds(), 23, "23 neighbours in clouds of 23 points: give a smaller k"),
        (clouds(), 0, "k=0: give a whole number from 1"),
        (clouds()[0], 3, "give \\(n, p, 3\\)"),
        (clouds().half(), 3, "float32 or float64"),
    ],
)
def test_what_does_not_fit_is_refused(points, k, message):
    with pytest.raises(InputError, match=message):
        nearest_neighbours(points, k)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_the_same():
    for got, expected in zip(
        nearest_neighbours(clouds().cuda(), 7), nearest_neighbours(clouds(), 7), strict=True
    ):
        torch.testing.assert_close(got.cpu(), expected)
