"""Keyed randomness."""

from __future__ import annotations

import torch

from cl3d.random import fold, generator, isolated


def test_the_key_alone_decides():
    first = torch.rand(5, generator=generator(7, "real-batch", 3, 120))
    torch.rand(100)
    assert torch.equal(first, torch.rand(5, generator=generator(7, "real-batch", 3, 120)))


def test_every_part_of_the_key_counts():
    keys = [
        (7, "a", 1),
        (8, "a", 1),
        (7, "b", 1),
        (7, "a", 2),
        (7, "a"),
        (7, "a", "1"),
        (7, "a1"),
        (7, 1, "a"),
    ]
    assert len({fold(*key) for key in keys}) == len(keys)
    assert all(0 <= fold(*key) < 2**63 for key in keys)


def test_isolated_blocks_repeat_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    with isolated(3, "weights"):
        first = torch.nn.Linear(5, 7).weight
    with isolated(3, "weights"):
        second = torch.nn.Linear(5, 7).weight
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_seeds_are_stable_across_versions():
    assert fold(0, "class-order") == 5619549902527631929
