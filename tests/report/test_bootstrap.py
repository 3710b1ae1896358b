"""Bootstrap intervals: by hand where they can be counted, and by their known spread."""

from __future__ import annotations

import itertools
import statistics

import pytest
import torch

from cl3d.random import generator
from cl3d.report.bootstrap import _resampled, bootstrap_interval


def of_seeds(*values: float) -> dict[tuple[int, int], float]:
    return {(0, seed): value for seed, value in enumerate(values)}


def test_two_values_by_hand():
    """Their resampled mean is 0, 1/2 or 1 with probabilities 1/4, 1/2 and 1/4."""
    values = of_seeds(0.0, 1.0)
    assert bootstrap_interval(values, confidence=0.95) == (0.0, 1.0)
    assert bootstrap_interval(values, confidence=0.4) == (0.5, 0.5)  # from 30 % to 70 %


def test_three_values_by_hand():
    """All 27 resamples of 0, 1, 5: the ends are quantiles of their means."""
    means = sorted(statistics.fmean(drawn) for drawn in itertools.product((0.0, 1.0, 5.0), repeat=3))
    low, high = bootstrap_interval(of_seeds(0.0, 1.0, 5.0), confidence=0.9)
    # 1/27 of the resamples is 0, 3/27 are 1/3: 5 % lie between; at the other end 5, then 11/3
    assert means[:2] == [0.0, pytest.approx(1 / 3)]
    assert (low, high) == (pytest.approx(1 / 3), pytest.approx(11 / 3))


def test_orders_and_seeds_are_drawn_apart():
    """Values that hang on the order alone are as uncertain as the orders, however many seeds there are."""
    by_order = {(order, seed): float(order) for order in range(2) for seed in range(50)}
    assert bootstrap_interval(by_order) == (0.0, 1.0)
    by_seed = {(seed, order): value for (order, seed), value in by_order.items()}
    assert bootstrap_interval(by_seed) == (0.0, 1.0)


def test_the_spread_of_the_mean_is_that_of_both_axes():
    """For a sum of an order's and a seed's part the variance is that of the two resampled means."""
    order, seed = torch.tensor([0.0, 3.0, 1.0]), torch.tensor([2.0, 0.0, 1.0, 5.0, 7.0])
    means = _resampled((order[:, None] + seed).double(), 200_000, generator(0, "test"))
    expected = order.var(correction=0) / 3 + seed.var(correction=0) / 5
    assert means.mean() == pytest.approx(float(order.mean() + seed.mean()), abs=0.02)
    assert means.var() == pytest.approx(float(expected), rel=0.02)


def test_seeds_with_orders_of_their_own_are_drawn_as_pairs():
    pairs = {(0, 0): 0.0, (1, 1): 1.0}
    assert bootstrap_interval(pairs) == bootstrap_interval(of_seeds(0.0, 1.0))


def test_one_value_has_no_interval_and_equal_ones_have_no_width():
    assert bootstrap_interval(of_seeds(0.3)) is None
    assert bootstrap_interval(of_seeds(0.25, 0.25, 0.25)) == (0.25, 0.25)


def test_the_same_seed_gives_the_same_interval():
    values = of_seeds(0.1, 0.5, 0.2, 0.9)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1, resamples=50) != bootstrap_interval(
        values, seed=2, resamples=50
    )
