"""Seeded splits into train and test, for data sets without an official one.

Each class is split by itself, and a cloud's rank in it hangs on the cloud's own key: adding or
removing clouds changes nothing in other classes, and as little as possible in its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from cl3d.errors import InputError
from cl3d.random import fold

Labelled = tuple[Path, int]
"""A file and the class of its shape."""


def share_for_test(count: int, fraction: float = 0.2) -> int:
    """How many of a class's clouds are for testing: what is left when train is rounded down.

    Args:
        count: clouds in the class.
        fraction: for testing, in (0, 1).
    """
    # 0.2 x 15 may lie a hair above 3
    return math.ceil(round(count * fraction, 6))


def share_of_class(count: int, fraction: float, what: str) -> int:
    """The same, but at least one cloud for testing and one for training.

    Args:
        count, fraction: see :func:`share_for_test`.
        what: to call the class in messages.

    Raises:
        InputError: if the class has a single cloud.
    """
    if count < 2:
        raise InputError(
            f"{what} has one cloud, which cannot be for both training and testing: add another, or remove it"
        )
    return min(max(share_for_test(count, fraction), 1), count - 1)


def chosen_for_test(keys: Sequence[str], count: int, seed: int) -> set[str]:
    """Chooses ``count`` of a class's clouds, each given by a key of its own."""
    return set(sorted(keys, key=lambda key: (fold(seed, "split", key), key))[:count])


def split_files(
    folder: Path, classes: Sequence[Sequence[Path]], counts: Sequence[int], seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Splits files with one cloud each, which are keyed by their paths.

    Args:
        folder: that the paths are relative to, so that moving it changes nothing.
        classes: the files of each class; the labels are 0, 1, ... in this order.
        counts: for testing, of each class.
        seed: any integer.

    Returns:
        The files of train and of test, class by class in the given order.
    """
    train: list[Labelled] = []
    test: list[Labelled] = []
    for label, (paths, count) in enumerate(zip(classes, counts, strict=True)):
        keys = [path.relative_to(folder).as_posix() for path in paths]
        chosen = chosen_for_test(keys, count, seed)
        for path, key in zip(paths, keys, strict=True):
            (test if key in chosen else train).append((path, label))
    return train, test
