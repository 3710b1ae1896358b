"""Chunks: as many units of work at once as memory holds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch

from cl3d.errors import Note


class Chunks:
    """Works at several units together; where memory does not hold them, at half as many from then on.

    Args:
        what: the units are, for the message.

    Attributes:
        most: units at once; None while all have fitted.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.most: int | None = None

    def work(self, units: Sequence[int], together: Callable[[Sequence[int]], None]) -> None:
        """Calls ``together`` with one chunk of the units after the other.

        Args:
            together: does the units it is given; begun anew with fewer where the device's memory was too
                small, so it must not count on what it had done.

        Raises:
            torch.OutOfMemoryError: if memory does not hold one unit.
        """
        start = 0
        while start < len(units):
            chunk = units[start : start + (self.most or len(units))]
            if self._fits(chunk, together):
                start += len(chunk)
                continue
            # outside of the handler, whose traceback holds on to what did not fit
            self._halve(len(chunk))

    def _fits(self, chunk: Sequence[int], together: Callable[[Sequence[int]], None]) -> bool:
        try:
            together(chunk)
        except torch.OutOfMemoryError:
            if len(chunk) == 1:
                raise
            return False
        return True

    def _halve(self, tried: int) -> None:
        self.most = tried // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        warnings.warn(
            f"memory does not hold {tried} {self.what} at once: going on with {self.most}", Note, stacklevel=4
        )
