"""Clock: where a step's time goes, and its memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cl3d.peak_memory import PeakMemory

ACTIVITIES = ("condense", "train", "test")


class Clock:
    """Seconds and peak memory by activity; what an inner activity takes does not count for the outer one.

    Args:
        memory: whose high-water mark is read.
    """

    def __init__(self, memory: PeakMemory) -> None:
        self._memory = memory
        self._running: str | None = None
        self.reset()

    def reset(self) -> None:
        """Starts from zero."""
        self._spent = dict.fromkeys(ACTIVITIES, 0.0)
        self._peaks = dict.fromkeys(ACTIVITIES, 0)
        self._inner = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Counts the block's time and memory as ``name``."""
        outer, self._inner = self._inner, 0.0
        around = self._switch(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            self._spent[name] += whole - self._inner
            self._inner = outer + whole
            self._switch(around)

    def _switch(self, name: str | None) -> str | None:
        """Ends the activity that runs, as far as memory goes, and begins another; returns the one ended."""
        ended, self._running = self._running, name
        if ended is not None:
            self._peaks[ended] = max(self._peaks[ended], self._memory.bytes())
        self._memory.reset()
        return ended

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same callable, its time counted as ``name``."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self(name):
                return call(*args, **kwargs)

        return wrapped

    def count(self, name: str, seconds: float, peak_bytes: int) -> None:
        """Adds what an activity has cost elsewhere."""
        self._spent[name] += seconds
        self._peaks[name] = max(self._peaks[name], peak_bytes)

    def seconds(self) -> dict[str, float]:
        """Seconds by activity since the last reset."""
        return {name: round(spent, 3) for name, spent in self._spent.items()}

    def peak_bytes(self) -> dict[str, int]:
        """Highest memory by activity since the last reset; 0 for what has not run."""
        return dict(self._peaks)
