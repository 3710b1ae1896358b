"""Reservoirs: every cloud has its chance, by hand and by counting."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cl3d.clouds import PointClouds
from cl3d.distill import Adam, Anchors, Budget, DistributionMatching, Herding, Points, Reservoir, presets
from cl3d.distill import reservoir as module
from cl3d.distill.reservoir import Tally, algorithm_r, class_balancing
from cl3d.errors import InputError
from cl3d.random import generator


def scripted(monkeypatch, *draws):
    """Draws that are known beforehand, and what they were drawn below."""
    left, asked = list(draws), []
    monkeypatch.setattr(module, "_draw", lambda below, _: (asked.append(below), left.pop(0))[1])
    return asked


def test_algorithm_r_by_hand(monkeypatch):
    # three slots, clouds 0 to 6: 3 goes to slot 1, 4 nowhere, 5 to slot 0, 6 nowhere
    asked = scripted(monkeypatch, 1, 4, 0, 3)
    assert algorithm_r(0, 7, 0, 3, torch.Generator()) == [5, 3, 2]
    assert asked == [4, 5, 6, 7]
    # two more come in a second call: nine have been seen then
    asked = scripted(monkeypatch, 2, 8)
    assert algorithm_r(3, 2, 7, 3, torch.Generator()) == [0, 1, 3]
    assert asked == [8, 9]


@pytest.mark.parametrize("steps", [[9], [2, 7], [5, 1, 3]])
def test_every_cloud_of_the_stream_is_held_equally_often(steps):
    runs, capacity, counts = 3000, 4, Counter()
    for run in range(runs):
        held: list[int] = []
        seen = 0
        for step, size in enumerate(steps):
            names = held + list(range(seen, seen + size))
            draws = generator(run, "test", step)
            held = [names[slot] for slot in algorithm_r(len(held), size, seen, capacity, draws)]
            seen += size
        counts.update(held)
    expected, spread = runs * 4 / 9, (runs * 4 / 9 * 5 / 9) ** 0.5
    assert all(abs(counts[name] - expected) < 4.5 * spread for name in range(9))


def test_class_balancing_by_hand(monkeypatch):
    # room for 4: A A A B fill it, A is full; B takes the place of the second A, both are full then
    asked = scripted(monkeypatch, 1, 1, 0, 5)
    tally = Tally()
    slots = class_balancing([], [0, 0, 0, 1, 1], tally, 4, torch.Generator())
    assert slots == [0, 4, 2, 3]
    assert asked == [3]
    assert tally.full == {0}
    # a third class takes the place of any of the largest two, here slot 1; then the fourth A is drawn
    # against n = 4 of which 2 are held: 0 < 2, and takes the place of one of them; a fifth is not held
    asked = scripted(monkeypatch, 1, 0, 1, 4)
    assert class_balancing([0, 1, 0, 1], [2, 0, 0], tally, 4, torch.Generator()) == [0, 4, 5, 3]
    assert asked == [4, 4, 2, 5]
    assert tally.full == {0, 1}
    assert tally.seen == {0: 5, 1: 2, 2: 1}


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    capacity=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_class_balancing_is_as_even_as_the_stream_allows(sizes, capacity, seed):
    arriving = [label for label, size in enumerate(sizes) for _ in range(size)]
    tally = Tally()
    slots = class_balancing([], arriving, tally, capacity, generator(seed))
    assert len(slots) == len(set(slots)) == min(capacity, len(arriving))
    counts = Counter(arriving[slot] for slot in slots)
    # nobody has fewer than another but for want of clouds, or by the one that does not divide
    for label, size in enumerate(sizes):
        assert counts[label] == size or counts[label] >= max(counts.values()) - 1
    assert tally.seen == Counter(arriving)
    assert Tally.from_json(tally.as_json()) == tally


def test_within_a_class_every_cloud_is_held_equally_often():
    runs, counts = 2000, Counter()
    for run in range(runs):
        arriving = [0] * 8 + [1] * 3 + [0] * 4
        counts.update(class_balancing([], arriving, Tally(), 4, generator(run, "cbrs")))
    zeros = [counts[cloud] for cloud in (*range(8), *range(11, 15))]
    expected = runs * 2 / 12
    assert sum(zeros) == 2 * runs
    assert all(abs(count - expected) < 4.5 * (expected * 10 / 12) ** 0.5 for count in zeros)


def stream(label: int, clouds: int, points: int = 6) -> PointClouds:
    draws = generator(label, "stream")
    return PointClouds(torch.randn(clouds, points, 3, generator=draws), torch.full((clouds,), label))


@pytest.mark.parametrize("balanced", [False, True])
def test_steps_go_on_with_one_reservoir_of_real_clouds(balanced):
    reservoir, held, real = Reservoir(balanced=balanced), None, []
    for label in (3, 1, 2):
        clouds = stream(label, 9)
        real += [cloud.numpy().tobytes() for cloud in clouds.points]
        held = reservoir.update(held, clouds, 5 * 6 * 12 + 11, seed=label)
        assert held.nbytes == 5 * 6 * 12
        assert held.labels.tolist() == sorted(held.labels.tolist())
        assert all(cloud.numpy().tobytes() in real for cloud in held.decode().points.detach())
    assert dict(held.info["tally"]["seen"]) == {1: 9, 2: 9, 3: 9}
    if balanced:
        assert sorted(held.clouds_per_class.values()) == [1, 2, 2]


def test_coarse_clouds_as_bytes_fill_the_same_bytes():
    reservoir = Reservoir(parameterization=Points(num_points=2, storage="uint8"))
    held = reservoir.update(None, stream(0, 30), 50, seed=0)
    assert (len(held), held.nbytes) == (8, 48)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initializer": Herding()}, "draws its clouds itself"),
        ({"objective": DistributionMatching(), "iterations": 2}, "draws its clouds itself"),
        ({"parameterization": Anchors()}, "replaces single clouds: give parameterization=points"),
    ],
)
def test_parts_that_would_do_nothing_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Reservoir(**changes)
    assert Reservoir(optimizer=Adam(lr=1.0)).name == presets.reservoir().name


def test_a_data_set_alone_is_a_stream():
    clouds = stream(4, 20)
    for preset in (presets.reservoir(), presets.balanced_reservoir()):
        assert len(preset(clouds, budget=Budget(ppc=3))) == 3
