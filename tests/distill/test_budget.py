"""Budgets, by hand."""

from __future__ import annotations

import pytest

from cl3d.distill import Budget, Condenser, Points
from cl3d.errors import InputError

CLOUD = 12 * 7


def test_clouds_per_class():
    assert Budget(ppc=5).shares([9, 2, 30], 7) == [5 * CLOUD] * 3


def test_a_fraction_counts_clouds_of_all_classes():
    # 0.05 of 160 clouds is 8 clouds: 3, 3, 2
    assert Budget(ratio=0.05).shares([100, 50, 10], 7) == [3 * CLOUD, 3 * CLOUD, 2 * CLOUD]
    # exact where floating point is not: 0.29 * 100 is 28.999...
    assert sum(Budget(ratio=0.29).shares([100], 7)) == 29 * CLOUD


def test_bytes_left_over_are_not_lost():
    shares = Budget(nbytes=5 * CLOUD + 13).shares([9, 9, 9], 7)
    assert shares == [2 * CLOUD + 13, 2 * CLOUD, CLOUD]
    assert sum(shares) == 5 * CLOUD + 13


@pytest.mark.parametrize("sizes", [[4, 3, 2, 1], [2, 2, 2, 2, 2], [1] * 10])
def test_the_parts_of_a_stream_add_up_and_lose_no_cloud(sizes):
    budget = Budget(nbytes=43 * CLOUD + 31)
    parts = [budget.part(sum(sizes[:i]), size, 10, 7).nbytes for i, size in enumerate(sizes)]
    assert sum(parts) == 43 * CLOUD + 31
    assert sum(part // CLOUD for part in parts) == 43
    assert all(part >= 4 * size * CLOUD for part, size in zip(parts, sizes, strict=True))


def test_a_budget_per_class_is_its_own_part():
    assert Budget(ppc=3).part(4, 3, None, 7) == Budget(ppc=3)
    with pytest.raises(InputError, match="give total_classes"):
        Budget(nbytes=1000).part(0, 4, None, 7)


def test_below_one_cloud_per_class_the_smallest_is_named():
    with pytest.raises(InputError, match=rf"give at least {3 * CLOUD} bytes"):
        Budget(nbytes=3 * CLOUD - 1).shares([9, 9, 9], 7)
    with pytest.raises(InputError, match=r"give at least ratio=0\.1"):
        Budget(ratio=0.01).shares([10, 10, 10], 7)
    Budget(nbytes=3 * CLOUD).shares([9, 9, 9], 7)
    with pytest.raises(InputError, match=r"give at least ratio=0\.3334"):
        Budget(ratio=0.3333).shares([3] * 10, 7)
    Budget(ratio=0.3334).shares([3] * 10, 7)


def test_bytes_are_named_as_nobody_typed_them():
    # budget= on the command line, nbytes= in Python
    with pytest.raises(InputError, match=r"^a budget of 1,007 bytes is below the 1000 that"):
        Budget(nbytes=1007).shares([9, 9], 7, least=1000)
    with pytest.raises(InputError, match=r"^total=1007 is 1007 bytes, below the 1000 that"):
        Budget(total=1007).shares([9, 9], 7, least=1000)
    with pytest.raises(InputError, match=r"^a budget of 1,007 bytes is for all classes of a stream"):
        Budget(nbytes=1007).part(0, 2, None, 7)
    assert str(Budget(nbytes=1007)) == "nbytes=1007"  # as results and checkpoints have it


def test_coarse_clouds_fit_where_no_reference_cloud_does():
    assert Budget(nbytes=3 * 20 + 2).shares([9, 9, 9], 7, least=15) == [21, 21, 20]
    with pytest.raises(InputError, match=r"below the 15 .* give at least 45 bytes"):
        Budget(nbytes=44).shares([9, 9, 9], 7, least=15)
    parts = [Budget(nbytes=10 * 50 + 3).part(before, 2, 10, 7).nbytes for before in range(0, 10, 2)]
    assert sum(parts) == 503
    assert min(parts) >= 100


def test_a_coarse_condenser_lives_below_one_reference_cloud():
    condenser = Condenser(parameterization=Points(num_points=2, storage="uint8"))
    assert condenser.plan([9, 9], 7, Budget(nbytes=2 * 13)) == ([13, 13], [2, 2])
    with pytest.raises(InputError, match=r"below the 6 .* give at least 12 bytes"):
        condenser.plan([9, 9], 7, Budget(nbytes=11))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"ppc": 1, "ratio": 0.1},
        {"ppc": 0},
        {"ratio": 1.5},
        {"nbytes": -3},
        {"ppc": 1.5},
        {"ppc": "5"},
        {"ppc": float("inf")},
        {"nbytes": float("nan")},
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(InputError):
        Budget(**wrong)
