"""Class-incremental streams over a data set, as Avalanche benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.benchmarks.scenarios.supervised import class_incremental_benchmark
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.data import Dataset
from cl3d.errors import InputError
from cl3d.random import generator


class CloudDataset(torch.utils.data.Dataset[tuple[Any, ...]]):
    """Clouds as the plain torch data set that Avalanche takes.

    Items are (p, 3) points and an int label; then (p,) int64 parts, where the clouds have parts.
    """

    def __init__(self, clouds: PointClouds) -> None:
        self.points, self.parts = clouds.points, clouds.parts
        self.targets = clouds.labels.tolist()

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        item = self.points[index], self.targets[index]
        return item if self.parts is None else (*item, self.parts[index])


def class_order(num_classes: int, seed: int) -> list[int]:
    """A permutation of the classes, drawn by seed."""
    return torch.randperm(num_classes, generator=generator(seed, "class-order")).tolist()


def split_classes(num_classes: int, steps: int) -> list[int]:
    """Classes per step, as equal as can be; the first steps get one more, no class is dropped.

    Raises:
        InputError: if there are more steps than classes, or none.
    """
    if not 1 <= steps <= num_classes:
        raise InputError(
            f"steps={steps} with {num_classes} classes: give 1 to {num_classes}, at least one class per step"
        )
    each, left = divmod(num_classes, steps)
    return [each + (step < left) for step in range(steps)]


def parted(order: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """The classes of each step, that many of them in order."""
    return [list(order[sum(sizes[:i]) : sum(sizes[: i + 1])]) for i in range(len(sizes))]


def class_incremental(dataset: Dataset, steps: int, order: Sequence[int], *, parts: bool = False) -> Any:
    """An Avalanche benchmark whose step i has the next classes of ``order``.

    Labels stay those of the data set. ``train_stream`` and ``test_stream`` are in step.

    Args:
        order: a permutation of the classes; see :func:`class_order`.
        parts: whether items have the parts of points, too, for networks that segment.

    Raises:
        InputError: if ``order`` is no permutation, a class has no train or no test clouds, or there are no
            parts.
    """
    check_order(order, dataset.num_classes)
    check_classes(dataset)
    splits = {"train": dataset.train, "test": dataset.test}
    if parts and any(clouds.parts is None for clouds in splits.values()):
        raise InputError(f"parts=True, but {dataset.name} has no part labels: leave parts out")
    return class_incremental_benchmark(
        {name: CloudDataset(clouds if parts else clouds.without_parts()) for name, clouds in splits.items()},
        class_order=list(order),
        num_classes_per_exp=split_classes(dataset.num_classes, steps),
    )


def check_order(order: Sequence[int], num_classes: int) -> None:
    """Refuses an order that is no permutation of the classes."""
    if sorted(order) != list(range(num_classes)):
        raise InputError(f"the class order is not a permutation of 0 to {num_classes - 1}: {list(order)}")


def check_classes(dataset: Dataset) -> None:
    """Refuses a data set with a class that has no train or no test clouds, naming it."""
    for split, clouds in (("train", dataset.train), ("test", dataset.test)):
        missing = sorted(set(range(dataset.num_classes)) - set(clouds.classes))
        if missing:
            names = ", ".join(dataset.class_names[label] for label in missing)
            raise InputError(f"{dataset.name} has no {split} clouds of {names}: add some or drop the class")


def experience_clouds(experience: Any) -> PointClouds:
    """All clouds of one experience of any benchmark whose items start with points and label.

    Where a whole number for each point comes next, these are the parts.
    """
    items = [experience.dataset[index] for index in range(len(experience.dataset))]
    points = torch.stack([torch.as_tensor(item[0]) for item in items])
    labels = torch.tensor([int(item[1]) for item in items])
    if not all(_has_parts(item) for item in items):
        return PointClouds(points, labels)
    return PointClouds(points, labels, torch.stack([item[2] for item in items]))


def _has_parts(item: Sequence[Any]) -> bool:
    third = item[2] if len(item) > 2 else None
    return isinstance(third, Tensor) and third.dtype == torch.int64 and third.shape == (len(item[0]),)
