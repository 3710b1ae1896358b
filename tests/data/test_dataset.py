"""The data set that every loader returns."""

from __future__ import annotations

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.data import Dataset, shapes40
from cl3d.errors import InputError


def rows(clouds: PointClouds) -> set[bytes]:
    return {cloud.numpy().tobytes() for cloud in clouds.points}


def test_holding_out_divides_the_training_clouds_and_forgets_the_test_clouds():
    whole = shapes40(num_points=7, train_per_class=11, test_per_class=2, num_classes=3)
    divided = whole.hold_out(0.3)
    assert rows(divided.train) | rows(divided.test) == rows(whole.train)
    assert not rows(divided.train) & rows(divided.test)
    assert divided.test.labels.bincount().tolist() == [3, 3, 3]
    assert divided.train.parts.shape == (24, 7)
    assert divided.name == "shapes40, 0.3 held out"
    assert rows(whole.hold_out(0.3).test) == rows(divided.test)
    assert rows(whole.hold_out(0.3, seed=1).test) != rows(divided.test)


def test_one_cloud_at_least_is_held_out_and_one_kept():
    whole = shapes40(num_points=5, train_per_class=2, test_per_class=1, num_classes=2)
    for fraction in (0.01, 0.99):
        assert whole.hold_out(fraction).test.labels.tolist() == [0, 1]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, True, "half", float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(InputError, match=r"holdout=.* give one in \(0, 1\)"):
        shapes40(num_points=5, train_per_class=2, test_per_class=1, num_classes=1).hold_out(fraction)


def test_a_class_of_one_cloud_cannot_be_divided():
    clouds = PointClouds(torch.eye(3).repeat(3, 1, 1), torch.tensor([0, 0, 1]))
    with pytest.raises(InputError, match=r"class 1 \(b\) of toy has one training cloud"):
        Dataset("toy", clouds, clouds, ("a", "b")).hold_out(0.5)
