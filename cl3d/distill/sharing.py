"""How a class's share of a budget becomes clouds, under a parameterization."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.parameterizations.base import Parameterization
from cl3d.errors import Note


def least_bytes(parameterization: Parameterization, num_points: int) -> int:
    """Bytes with which a class starts from at least one cloud of ``num_points`` points."""
    reference = cloud_nbytes(num_points)
    holds_one = partial(parameterization.clouds_within, num_points=num_points)
    return bisect_left(range(reference), 1, key=holds_one)


def picks_within(
    parameterization: Parameterization, shares: Sequence[int], there: Sequence[int], num_points: int
) -> list[int]:
    """How many clouds of each class a set starts from: those that its share pays for, if there are as many.

    Args:
        shares: bytes of each class.
        there: real clouds of each class.
        num_points: of the real clouds.
    """
    wanted = [parameterization.clouds_within(share, num_points) for share in shares]
    return [min(pair) for pair in zip(wanted, there, strict=True)]


def note_small(
    parameterization: Parameterization,
    shares: Sequence[int],
    there: Sequence[int],
    num_points: int,
    classes: Sequence[int],
) -> None:
    """Notes each class whose share pays for more clouds than there are; see :func:`picks_within`.

    Args:
        classes: what to call them.
    """
    for label, available, share in zip(classes, there, shares, strict=True):
        wanted = parameterization.clouds_within(share, num_points)
        if wanted > available:
            warnings.warn(
                f"class {label} has {available} clouds, {wanted} are asked for: all are used",
                Note,
                stacklevel=3,
            )
