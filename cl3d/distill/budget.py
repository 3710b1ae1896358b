"""Budget: what a synthetic set may cost, in bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cl3d.clouds import CLOUD_POINT_BYTES
from cl3d.errors import InputError, check_whole


@dataclass(frozen=True)
class Budget:
    """Bytes for one set, written in one of four ways.

    Attributes:
        ppc: clouds per class: ``ppc * num_points * 12`` bytes for each class.
        ratio: a fraction of the data, in (0, 1]: that part of all its clouds, over all classes.
        nbytes: bytes in all; along a stream each class has its share of them from the start.
        total: bytes in all; along a stream the classes seen so far share them, so that a class's share
            shrinks as others come. Without a stream the same as ``nbytes``.

    Raises:
        InputError: if not exactly one is given, or it is out of range.
    """

    ppc: int | None = None
    ratio: float | None = None
    nbytes: int | None = None
    total: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            raise InputError(
                f"a budget is given as {given or 'nothing'}: give exactly one of ppc, ratio, nbytes, total"
            )
        if self.ratio is not None and not (isinstance(self.ratio, int | float) and 0 < self.ratio <= 1):
            raise InputError(f"ratio={self.ratio} is not a fraction of the data: give a number in (0, 1]")
        for name, value in given.items():
            if name != "ratio":
                check_whole(name, value, 1)

    def shares(self, clouds_per_class: Sequence[int], num_points: int, least: int | None = None) -> list[int]:
        """Bytes for each class, in order; their sum is the budget and no byte is lost.

        Classes get equal numbers of whole reference clouds (``num_points`` points of float32);
        clouds left over go one each to the first classes, a rest below one cloud to the first. Where
        there is less than one for each, bytes are shared out evenly instead.

        Args:
            clouds_per_class: how many real clouds each class has.
            num_points: points of the reference cloud.
            least: bytes without which a class cannot be stored; None is one reference cloud.

        Raises:
            InputError: if a class's share is below that.
        """
        cloud = cloud_nbytes(num_points)
        least = cloud if least is None else least
        classes = len(clouds_per_class)
        if self.ppc is not None:
            return [self.ppc * cloud] * classes
        in_all = self.nbytes or self.total
        if in_all is not None:
            total = int(in_all)
        else:
            total = int(Fraction(str(self.ratio)) * sum(clouds_per_class)) * cloud
        if total < classes * least:
            smallest = f"{classes * least} bytes"
            if self.ratio is not None:
                clouds = -(-classes * least // cloud)
                smallest = f"ratio={math.ceil(1e4 * clouds / sum(clouds_per_class)) / 1e4}"
            given = f"{self.in_words} is" if self.nbytes is not None else f"{self} is {total} bytes,"
            raise InputError(
                f"{given} below the {least} that one stored cloud takes for each of "
                f"{classes} classes: give at least {smallest}, or ppc=1"
            )
        whole, rest = divmod(total, cloud)
        each, left = divmod(whole, classes)
        if each == 0:
            return [total // classes + (position < total % classes) for position in range(classes)]
        shares = [(each + (position < left)) * cloud for position in range(classes)]
        shares[0] += rest
        return shares

    def part(self, before: int, classes: int, total_classes: int | None, num_points: int) -> Budget:
        """The budget of the next ``classes`` of a stream, ``before`` having come already.

        Of a ``total`` it is what :meth:`shares` gives the last of all classes seen. ``nbytes`` are the whole
        stream's. Its whole reference clouds are spread evenly over the
        classes and add up; a rest below one cloud goes to the first part; with less than one for each
        class, bytes are spread. Others are per class.

        Raises:
            InputError: if the budget is ``nbytes`` and ``total_classes`` is unknown or exceeded.
        """
        if self.total is not None:
            return Budget(nbytes=sum(self.shares([1] * (before + classes), num_points, least=1)[before:]))
        if self.nbytes is None:
            return self
        if total_classes is None or before + classes > total_classes:
            raise InputError(
                f"{self.in_words} is for all classes of a stream, of which {total_classes} are announced and "
                f"{before + classes} have come: give total_classes, or a budget per class (ppc)"
            )
        unit = cloud_nbytes(num_points) if self.nbytes >= total_classes * cloud_nbytes(num_points) else 1
        units, rest = divmod(self.nbytes, unit)
        mine = units * (before + classes) // total_classes - units * before // total_classes
        nbytes = mine * unit + (rest if before == 0 else 0)
        if nbytes == 0:
            raise InputError(f"{self.in_words} has no byte for some classes: give a larger one, or ppc=1")
        return Budget(nbytes=nbytes)

    @property
    def in_words(self) -> str:
        """For messages: bytes have other names on the command line (``budget=``) than here."""
        return str(self) if self.nbytes is None else f"a budget of {self.nbytes:,} bytes"

    def __str__(self) -> str:
        return next(f"{name}={value}" for name, value in vars(self).items() if value is not None)


def cloud_nbytes(num_points: int) -> int:
    """Bytes of one cloud stored as float32 coordinates."""
    return num_points * CLOUD_POINT_BYTES
