"""Metrics by hand."""

from __future__ import annotations

import pytest

from cl3d.continual.metrics import forgetting_first_minus_last, forgetting_max_minus_last

MATRIX = [
    [0.9, None, None],
    [0.95, 0.8, None],
    [0.5, 0.7, 0.6],
]


def test_forgetting_from_the_best_and_from_the_first():
    assert forgetting_max_minus_last(MATRIX) == pytest.approx(((0.95 - 0.5) + (0.8 - 0.7)) / 2)
    assert forgetting_first_minus_last(MATRIX) == pytest.approx(((0.9 - 0.5) + (0.8 - 0.7)) / 2)


def test_one_step_forgets_nothing():
    assert forgetting_max_minus_last([[0.3]]) == forgetting_first_minus_last([[0.3]]) == 0


def test_getting_better_is_negative_forgetting():
    assert forgetting_max_minus_last([[0.5, None], [0.75, 0.9]]) == pytest.approx(-0.25)
