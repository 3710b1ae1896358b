"""Clock: where a step's time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ACTIVITIES = ("condense", "train", "test")


class Clock:
    """Seconds by activity; an inner activity's seconds do not count for the outer one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts from zero."""
        self._spent = dict.fromkeys(ACTIVITIES, 0.0)
        self._inner = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Counts the block's time as ``name``."""
        outer, self._inner = self._inner, 0.0
        start = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            self._spent[name] += whole - self._inner
            self._inner = outer + whole

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same callable, its time counted as ``name``."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self(name):
                return call(*args, **kwargs)

        return wrapped

    def seconds(self) -> dict[str, float]:
        """Seconds by activity since the last reset."""
        return {name: round(spent, 3) for name, spent in self._spent.items()}
