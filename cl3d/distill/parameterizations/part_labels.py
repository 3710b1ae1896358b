"""Part labels that cost no bytes: points in the order of their parts, and how many each part has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.errors import InputError

Runs = list[list[list[int]]]
"""For each cloud its parts, ascending, each with the number of its points: JSON values."""

MOST_PARTS = 256
"""Different parts that a byte tells apart."""


def in_part_order(clouds: PointClouds) -> PointClouds:
    """The same clouds, each with its points in ascending order of their parts; as they are without parts.

    Points of a cloud are a set, so that their order is free to say something.
    """
    if clouds.parts is None:
        return clouds
    return clouds.take_points(clouds.parts.argsort(dim=1, stable=True))


def runs_of(parts: Tensor) -> Runs:
    """The runs of parts in ascending order, (m, p)."""
    runs = []
    for row in parts.cpu():
        values, counts = row.unique(return_counts=True)
        runs.append([list(pair) for pair in zip(values.tolist(), counts.tolist(), strict=True)])
    return runs


def parts_of(runs: Any, clouds: int, points: int) -> Tensor:
    """The inverse of :func:`runs_of`: (clouds, points) int64.

    Raises:
        InputError: if these are no runs of that many clouds and points.
    """
    if not isinstance(runs, list) or len(runs) != clouds or not all(_is_row(row, points) for row in runs):
        raise InputError(
            f"the parts of {clouds} clouds of {points} points are not listed as [part, points] in ascending "
            "order, cloud by cloud"
        )
    rows = [torch.tensor(row, dtype=torch.int64) for row in runs]
    return torch.stack([row[:, 0].repeat_interleave(row[:, 1]) for row in rows])


def as_bytes(parts: Tensor, labels: Sequence[int]) -> Tensor:
    """Parts as their places among ``labels``, which are ascending: any shape, uint8.

    Raises:
        InputError: if there are more of them than a byte tells apart.
    """
    if len(labels) > MOST_PARTS:
        raise InputError(f"{len(labels)} different parts in one set: a byte tells {MOST_PARTS} apart")
    places = torch.searchsorted(torch.tensor(labels, device=parts.device), parts.contiguous())
    return places.to(torch.uint8)


def from_bytes(places: Tensor, labels: Sequence[int]) -> Tensor:
    """The inverse of :func:`as_bytes`: int64.

    Raises:
        InputError: if a byte stands for no label.
    """
    if places.dtype != torch.uint8 or (places.numel() and int(places.max()) >= len(labels)):
        raise InputError(f"parts are not bytes below {len(labels)}")
    return torch.tensor(labels, dtype=torch.int64)[places.long()]


def check_labels(labels: Any) -> list[int]:
    """What bytes stand for, from a file: different parts, ascending.

    Raises:
        InputError: if it is anything else.
    """
    if (
        not isinstance(labels, Sequence)
        or not all(map(_is_label, labels))
        or list(labels) != sorted(set(labels))
        or len(labels) > MOST_PARTS
    ):
        raise InputError(f"part labels are not up to {MOST_PARTS} different numbers from 0, ascending")
    return list(labels)


def _is_row(row: Any, points: int) -> bool:
    whole = isinstance(row, list) and all(isinstance(run, list) and len(run) == 2 for run in row)
    if not whole or not all(_is_label(part) and _is_label(count) and count > 0 for part, count in row):
        return False
    listed = [part for part, _ in row]
    return listed == sorted(set(listed)) and sum(count for _, count in row) == points


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
