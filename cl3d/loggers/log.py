"""Log: hands the figures of a run to its loggers, and never stands in the run's way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import Any, Protocol

from cl3d.distributed import is_main
from cl3d.errors import InputError, Note
from cl3d.loggers.row import Row, plain
from cl3d.progress import Advance, Progress

FOLDER = "logs"
"""Where loggers write, in a run's folder."""


class Logger(Protocol):
    """Keeps rows. Whatever it raises, the run goes on."""

    name: str

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Begins, or goes on with what an earlier process left.

        Args:
            folder: to write to.
            settings: of the run, nested, as JSON values.
        """

    def write(self, row: Row) -> None:
        """Adds a row; one whose key is there already is left as it is."""

    def close(self, status: str) -> None:
        """Ends it; the run is ``finished``, ``interrupted`` or ``failed``."""


@dataclass(eq=False)
class _Open:
    """A task under way."""

    description: str
    each: str
    done: int


class Log:
    """Hands rows to several loggers; as a context manager it closes them in the end.

    In a run of several processes the first alone logs. A logger that fails when the run is under way is noted
    once and left out from then on.

    Args:
        settings: of the run, nested, as JSON values.
    """

    def __init__(self, loggers: Iterable[Logger] = (), settings: Mapping[str, Any] | None = None) -> None:
        self._settings = dict(settings or {})
        self._loggers = list(loggers) if is_main() else []
        self._tasks: list[_Open] = []
        self._opened: list[Logger] = []
        self._written: dict[str, Row] = {}
        self._ambiguous: set[str] = set()

    def open(self, folder: Path) -> None:
        """Opens the loggers, when the run's folder is this process's; before that nothing is logged.

        Args:
            folder: of the run.

        Raises:
            InputError: if one cannot be opened: nothing has been computed yet.
        """
        for logger in self._loggers:
            try:
                logger.open(folder / FOLDER, self._settings)
            except Exception as error:  # whatever a tracking library raises
                raise InputError(
                    f"logger={logger.name} cannot begin ({_told(error)}): mend that, or give logger=none"
                ) from error
            self._opened.append(logger)

    def write(self, rows: Sequence[Row]) -> None:
        """Adds rows; those that are there already are left as they are.

        Where another row has the same place, that is noted: two condensations one after the other need a task
        around them that counts them.
        """
        for row in rows:
            if row.key not in self._written:
                self._written[row.key] = row
                self._all(lambda logger, row=row: logger.write(row))  # type: ignore[misc]
            elif self._written[row.key].figures != row.figures and row.task not in self._ambiguous:
                self._ambiguous.add(row.task)
                where = ", ".join(f"{name} {number}" for name, number in row.place) or "them"
                warnings.warn(
                    f"{row.task}: there are several of {where}, and the first is logged: open a task around "
                    "each (docs/logging.md)",
                    Note,
                    stacklevel=2,
                )

    def watching(self, progress: Progress) -> Progress:
        """The same progress, whose figures are logged, too."""
        if not self._loggers:
            return progress

        @contextmanager
        def watched(description: str, total: int, done: int = 0, each: str = "") -> Iterator[Advance]:
            task = _Open(description, each, done)
            self._tasks.append(task)
            try:
                with progress(description, total, done, each) as shown:

                    def advance(note: str = "", **figures: float) -> None:
                        task.done += 1
                        if figures:
                            self.write([Row(plain(description), self._place(task), figures)])
                        shown(note, **figures)

                    yield advance
            finally:
                self._tasks.remove(task)

        return watched

    def _place(self, task: _Open) -> tuple[tuple[str, int], ...]:
        """Units that tasks around this one are at, and the one that it has finished."""
        around = self._tasks[: self._tasks.index(task)]
        outer = ((one.each, one.done + 1) for one in around if one.each)
        return (*outer, (task.each or "unit", task.done))

    def _all(self, call: Callable[[Logger], None]) -> None:
        for logger in list(self._opened):
            try:
                call(logger)
            except Exception as error:  # a log is never worth what has been computed
                self._opened.remove(logger)
                warnings.warn(
                    f"logger={logger.name} has failed ({_told(error)}): the run goes on without it",
                    Note,
                    stacklevel=2,
                )

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        status = "finished" if kind is None else "interrupted" if interrupted else "failed"
        self._all(lambda logger: logger.close(status))
        self._opened = []


def _told(error: Exception) -> str:
    """An exception in one line of at most 200 characters."""
    return shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
