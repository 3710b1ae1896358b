"""How long work tells how far it is, without knowing who listens.

A :class:`Progress` opens a nested task; the callable that it yields advances it by one unit.
The library is silent by default; :mod:`cl3d.report.terminal` draws bars, :mod:`cl3d.loggers` keeps figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Advance(Protocol):
    """Advances a task."""

    def __call__(self, note: str = "", **figures: float) -> None:
        """One unit further.

        Args:
            note: shown beside the bar.
            figures: what the unit came to, such as ``loss=0.3``; shown where there is no note, and logged.
        """


class Progress(Protocol):
    """Opens tasks."""

    def __call__(
        self, description: str, total: int, done: int = 0, each: str = ""
    ) -> AbstractContextManager[Advance]:
        """A task of ``total`` units, ``done`` of them earlier; tasks opened inside another are nested.

        Args:
            each: what a unit is called, such as ``epoch``. Logs count the units of tasks that say it.
        """


@contextmanager
def silent(description: str, total: int, done: int = 0, each: str = "") -> Iterator[Advance]:
    """The progress that shows nothing."""

    def advance(note: str = "", **figures: float) -> None:
        del note, figures

    yield advance
