"""Draw: the few kinds of random choice that a maker of shapes needs."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Option = TypeVar("Option")


class Draw:
    """Random choices of one cloud, all from one seed.

    Args:
        seed: a non-negative integer; equal seeds give equal choices.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def between(self, low: float, high: float) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * self._generator.random()

    def whole(self, low: int, high: int) -> int:
        """A uniform integer in [low, high], both ends included."""
        return low + int((high - low + 1) * self._generator.random())

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._generator.random() < probability

    def one_of(self, *options: Option) -> Option:
        """One of the options, each equally likely."""
        return options[int(len(options) * self._generator.random())]

    def normal(self, *shape: int) -> npt.NDArray[np.float64]:
        """Standard normal numbers of this shape."""
        return self._generator.standard_normal(shape)

    def uniform(self, *shape: int) -> npt.NDArray[np.float64]:
        """Uniform numbers in [0, 1) of this shape."""
        return self._generator.random(shape)
