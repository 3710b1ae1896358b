"""How long work tells how far it is, without knowing who listens.

A :class:`Progress` opens a nested task; the callable that it yields advances it by one unit.
The library is silent by default; :mod:`cl3d.report.terminal` draws bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Advance(Protocol):
    """Advances a task."""

    def __call__(self, note: str = "") -> None:
        """One unit further; ``note`` is shown beside the bar."""


class Progress(Protocol):
    """Opens tasks."""

    def __call__(self, description: str, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        """A task of ``total`` units, ``done`` of them earlier; tasks opened inside another are nested."""


@contextmanager
def silent(description: str, total: int, done: int = 0) -> Iterator[Advance]:
    """The progress that shows nothing."""

    def advance(note: str = "") -> None:
        del note

    yield advance
