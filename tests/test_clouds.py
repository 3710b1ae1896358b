"""PointClouds and the operations on points."""

from __future__ import annotations

import pytest
import torch

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds, choose_points, concatenate, normalize
from cl3d.errors import InputError
from cl3d.random import generator


def clouds(n: int = 5, p: int = 7, parts: bool = False, seed: int = 0) -> PointClouds:
    draws = generator(seed, "test")
    points = torch.randn(n, p, 3, generator=draws)
    return PointClouds(points, torch.arange(n) % 3, torch.arange(n * p).view(n, p) if parts else None)


@pytest.mark.parametrize(
    ("points", "labels", "parts"),
    [
        (torch.zeros(2, 7, 2), torch.zeros(2).long(), None),
        (torch.zeros(2, 7, 3).long(), torch.zeros(2).long(), None),
        (torch.zeros(2, 7, 3), torch.zeros(2), None),
        (torch.zeros(2, 7, 3), torch.zeros(3).long(), None),
        (torch.zeros(2, 7, 3), torch.zeros(2).long(), torch.zeros(2, 3).long()),
    ],
)
def test_shapes_and_dtypes_must_fit(points, labels, parts):
    with pytest.raises(InputError):
        PointClouds(points, labels, parts)


def test_selecting_keeps_points_labels_and_parts_together():
    all_clouds = clouds(parts=True)
    some = all_clouds.of_class(1)
    assert some.labels.tolist() == [1, 1]
    assert torch.equal(some.points, all_clouds.points[[1, 4]])
    assert torch.equal(some.parts, all_clouds.parts[[1, 4]])
    assert all_clouds.of_classes([0, 2]).labels.tolist() == [0, 2, 0]
    assert all_clouds.classes == [0, 1, 2]


def test_concatenate_keeps_order_and_refuses_mixed_resolutions():
    both = concatenate([clouds(2), clouds(3, seed=1)])
    assert len(both) == 5
    assert torch.equal(both.points[2:], clouds(3, seed=1).points)
    with pytest.raises(InputError, match=r"\[5, 7\] points"):
        concatenate([clouds(2, 7), clouds(2, 5)])
    with pytest.raises(InputError, match="at least one"):
        concatenate([])


def test_normalize_centres_and_scales_and_does_not_depend_on_either():
    points = clouds().points.double()
    once = normalize(points)
    assert torch.allclose(once.mean(dim=1), torch.zeros(5, 3, dtype=torch.float64), atol=1e-15)
    assert torch.allclose(once.norm(dim=2).amax(dim=1), torch.ones(5, dtype=torch.float64))
    assert torch.allclose(normalize(3.7 * points + 11), once)
    assert torch.allclose(normalize(once), once)
    assert torch.equal(normalize(torch.ones(2, 7, 3)), torch.zeros(2, 7, 3))


def test_choosing_points_repeats_none_while_there_are_enough():
    chosen = choose_points(5, 13, 11, generator(0))
    assert chosen.shape == (5, 11)
    assert all(len(set(row.tolist())) == 11 for row in chosen)
    more = choose_points(5, 3, 7, generator(0))
    for row in more:
        counts = torch.bincount(row, minlength=3)
        assert counts.max() - counts.min() <= 1


def test_resampling_takes_parts_along():
    all_clouds = clouds(parts=True)
    some = all_clouds.resample(3, generator(2))
    for i in range(len(all_clouds)):
        where = some.parts[i] - 7 * i
        assert torch.equal(some.points[i], all_clouds.points[i, where])


def test_unusable_clouds_are_named():
    bad = clouds()
    bad.points[3, 2, 1] = torch.nan
    with pytest.raises(InputError, match=r"scans\.h5: cloud 3 has NaN"):
        check_clouds(bad, "scans.h5")
    flat = clouds()
    flat.points[2] = 0.5
    with pytest.raises(InputError, match="cloud 2 is empty"):
        check_clouds(flat, "x")
    below = clouds()
    below.labels[1] = -1
    with pytest.raises(InputError, match="cloud 1 has label -1; give labels from 0"):
        check_clouds(below, "x")
    with pytest.raises(InputError, match="has no clouds"):
        check_clouds(clouds()[:0], "x")
