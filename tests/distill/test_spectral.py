"""Spectral exemplars: the embedding against its definition, groups that are plain to see."""

from __future__ import annotations

import pytest
import torch
from scipy.linalg import eigh

from cl3d.clouds import PointClouds
from cl3d.distill import Budget, Spectral, presets
from cl3d.distill.spectral import spectral_embedding, spectral_exemplars
from cl3d.errors import InputError
from cl3d.random import generator


def apart(n: int) -> torch.Tensor:
    points = torch.randn(n, 2, generator=generator(0, "spectral"), dtype=torch.float64)
    return torch.cdist(points, points)


@pytest.mark.parametrize("dimensions", [1, 3, 11])
def test_the_embedding_solves_the_normalised_cut(dimensions):
    """(D - A) v = lambda D v, the smallest eigenvalues first, v' D v = 1 (Shi and Malik, eq. 7)."""
    distances = apart(11)
    sigma = distances[distances > 0].median()
    affinity = torch.exp(-(distances**2) / (2 * sigma**2))
    degree = torch.diag(affinity.sum(dim=1))
    _, vectors = eigh((degree - affinity).numpy(), degree.numpy())
    expected = torch.from_numpy(vectors[:, :dimensions])
    embedding = spectral_embedding(distances, dimensions)
    torch.testing.assert_close(embedding.abs(), expected.abs(), atol=1e-8, rtol=0)


def groups(sizes: list[int]) -> torch.Tensor:
    """Distances of rows that lie in far groups, one after the other."""
    centres = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)).double() * 10
    places = centres + torch.rand(sum(sizes), generator=generator(1, "spectral"), dtype=torch.float64)
    return (places.unsqueeze(0) - places.unsqueeze(1)).abs()


def test_one_of_each_group_that_of_the_largest_first():
    picked = spectral_exemplars(groups([3, 7, 5]), 3, seed=0).tolist()
    assert [0 if row < 3 else 1 if row < 10 else 2 for row in picked] == [1, 2, 0]


def test_an_exemplar_is_the_nearest_to_the_centre_of_its_cluster():
    distances = groups([5, 4])
    embedding = spectral_embedding(distances, 2)
    for row, members in zip(
        spectral_exemplars(distances, 2, 0).tolist(), (slice(0, 5), slice(5, 9)), strict=True
    ):
        own = embedding[members]
        nearest = (own - own.mean(dim=0)).norm(dim=1).argmin()
        assert row == members.start + int(nearest)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_rows_that_coincide_are_picked_once_each(count):
    picked = spectral_exemplars(torch.zeros(5, 5), count, 0).tolist()
    assert len(picked) == len(set(picked)) == count


def test_all_rows_are_picked_where_all_are_asked_for():
    assert sorted(spectral_exemplars(apart(7), 7, 0).tolist()) == list(range(7))


def test_two_kinds_of_clouds_are_both_there():
    draws = generator(2, "spectral")
    flat, long = torch.tensor([1.0, 1.0, 0.05]), torch.tensor([0.05, 0.05, 1.0])
    kinds = [flat] * 9 + [long] * 3
    points = torch.stack([torch.randn(40, 3, generator=draws) * kind for kind in kinds])
    clouds = PointClouds(points, torch.zeros(12, dtype=torch.int64))
    for condenser in (presets.spectral(), presets.spectral().__class__(initializer=Spectral(points=16))):
        first, second = condenser(clouds, budget=Budget(ppc=2)).decode().points.detach()
        assert first[:, 0].std() > 3 * first[:, 2].std(), "the larger cluster comes first"
        assert second[:, 2].std() > 3 * second[:, 0].std()


def test_a_number_of_points_that_is_none_is_refused():
    with pytest.raises(InputError, match="points=0: give a whole number from 1"):
        Spectral(points=0)
