"""The quick check refuses what the whole check refuses, and nothing else."""

from __future__ import annotations

import pytest
import torch

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds
from cl3d.data.usable import check_usable
from cl3d.errors import InputError


def same(points: torch.Tensor) -> bool:
    """Whether both say the same; whether they refuse."""
    clouds, told = PointClouds(points, torch.zeros(len(points), dtype=torch.int64)), []
    for check in (check_clouds, check_usable):
        try:
            check(clouds, "toy")
            told.append("")
        except InputError as error:
            told.append(str(error))
    assert told[0] == told[1]
    return bool(told[0])


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", [(0, 0, 0), (130, 12, 2), (299, 5, 1)])
def test_what_is_not_finite_is_refused(value, place):
    points = torch.randn(300, 13, 3)
    assert not same(points)
    points[place] = value
    assert same(points)


def test_points_in_one_place_are_refused():
    points = torch.randn(300, 13, 3)
    points[200] = points[200, 0]
    assert same(points)
    points[200, 12, 1] += 1  # two that differ are enough
    assert not same(points)


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 0, 3), (4, 1, 3), (4, 2, 3)])
def test_few_points_and_none(shape):
    assert same(torch.randn(shape)) == (0 in shape)
