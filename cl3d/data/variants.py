"""Harder variants of a data set: few training clouds per class, or a long tail of rare classes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import torch

from cl3d.data.dataset import Dataset
from cl3d.errors import InputError, Note, check_whole
from cl3d.random import generator


def few_shot(dataset: Dataset, shots: int, seed: int = 0) -> Dataset:
    """At most ``shots`` training clouds of each class; the test clouds stay.

    Fewer shots are the first of more, and classes do not depend on each other.

    Args:
        seed: which clouds; apart from a run's seed, so that all runs see the same.

    Raises:
        InputError: if ``shots`` is not a whole number from 1.
    """
    check_whole("shots", shots, 1)
    counts = dict.fromkeys(dataset.train.classes, shots)
    return _thinned(dataset, counts, seed, f"{shots} shots")


def long_tailed(dataset: Dataset, imbalance: float, seed: int = 0) -> Dataset:
    """Training clouds of which the rarest class has ``imbalance`` times as many as the most frequent.

    Counts fall off exponentially along a ranking of the classes drawn by ``seed`` (Cui et al., CVPR 2019),
    from the count of the smallest class, so that each class has the clouds that its rank asks for. At
    least one is kept of each. The test clouds stay as balanced as they are.

    Args:
        imbalance: in (0, 1]: 0.01 is one cloud of the rarest class to a hundred of the most frequent.

    Raises:
        InputError: if it is out of range.
    """
    if isinstance(imbalance, bool) or not isinstance(imbalance, int | float) or not 0 < imbalance <= 1:
        raise InputError(f"imbalance={imbalance}: give a ratio in (0, 1]")
    classes, most = dataset.train.classes, min(dataset.train.clouds_of_each_class())
    order = torch.randperm(len(classes), generator=generator(seed, "long-tail")).tolist()
    last = max(1, len(classes) - 1)
    counts = {classes[k]: max(1, round(most * imbalance ** (rank / last))) for rank, k in enumerate(order)}
    reached = min(counts.values()) / most
    if reached > 1.5 * imbalance:
        warnings.warn(
            f"imbalance={imbalance:g} of {most} clouds is less than one: the rarest class has 1, which is "
            f"{reached:.2g} of the most frequent",
            Note,
            stacklevel=2,
        )
    return _thinned(dataset, counts, seed, f"long tail {imbalance:g}")


def _thinned(dataset: Dataset, counts: Mapping[int, int], seed: int, what: str) -> Dataset:
    kept = torch.zeros(len(dataset.train), dtype=torch.bool)
    for label, count in counts.items():
        members = (dataset.train.labels.cpu() == label).nonzero().squeeze(1)
        order = torch.randperm(len(members), generator=generator(seed, "thin", label))
        kept[members[order[:count]]] = True
    return replace(dataset, name=f"{dataset.name}, {what}", train=dataset.train[kept], duplicates=None)
