"""Few-shot and long-tailed training sets."""

from __future__ import annotations

import pytest
import torch

from cl3d.data import shapes40
from cl3d.data.variants import few_shot, long_tailed
from cl3d.errors import InputError, Note


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=5, num_classes=7, train_per_class=32, test_per_class=3)


def rows(clouds) -> set[bytes]:
    return {cloud.numpy().tobytes() for cloud in clouds.points}


def test_few_shots_are_the_first_of_more(dataset):
    two, three = few_shot(dataset, 2), few_shot(dataset, 3)
    assert two.train.clouds_of_each_class() == [2] * 7
    assert rows(two.train) < rows(three.train) < rows(dataset.train)
    assert rows(few_shot(dataset, 2, seed=1).train) != rows(two.train)
    assert torch.equal(two.test.points, dataset.test.points)
    assert two.name == "shapes40, 2 shots"


def test_a_class_with_fewer_clouds_keeps_them(dataset):
    assert rows(few_shot(dataset, 33).train) == rows(dataset.train)


def test_counts_fall_off_exponentially(dataset):
    counts = sorted(long_tailed(dataset, 1 / 16).train.clouds_of_each_class(), reverse=True)
    # 32 * (1/16)^(k/6): 32, 20.2, 12.7, 8, 5.04, 3.2, 2
    assert counts == [32, 20, 13, 8, 5, 3, 2]
    assert long_tailed(dataset, 1).train.clouds_of_each_class() == [32] * 7
    with pytest.warns(Note, match="the rarest class has 1, which is 0.031 of the most frequent"):
        assert min(long_tailed(dataset, 1e-9).train.clouds_of_each_class()) == 1


def test_which_classes_are_rare_is_drawn(dataset):
    first, second = (long_tailed(dataset, 0.1, seed).train.clouds_of_each_class() for seed in (0, 1))
    assert first != second
    assert sorted(first) == sorted(second)
    assert torch.equal(long_tailed(dataset, 0.1).test.points, dataset.test.points)


@pytest.mark.parametrize("wrong", [0, 1.5, -0.1, True, "a", float("nan")])
def test_a_ratio_out_of_range_is_refused(dataset, wrong):
    with pytest.raises(InputError, match="give a ratio"):
        long_tailed(dataset, wrong)


@pytest.mark.parametrize("wrong", [0, 1.5, True])
def test_no_shots_are_refused(dataset, wrong):
    with pytest.raises(InputError, match="give a whole number from 1"):
        few_shot(dataset, wrong)
