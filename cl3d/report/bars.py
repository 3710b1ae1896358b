"""Tasks under way, and bars of them on a terminal: one below the other, a line each, however narrow it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TaskID, TextColumn
from rich.progress import Task as Bar
from rich.table import Column
from rich.text import Text

from cl3d.report.units import duration

ROOM_FOR_BARS, ROOM_FOR_TIME = 60, 40
"""Columns below which bars and notes are left out, and then the time that is left: the counts stay."""

LOOKS_PER_SECOND = 4


@dataclass(eq=False)
class Task:
    """A task under way.

    Attributes:
        done: units, of which ``earlier`` were done before this process began.
    """

    description: str
    total: int
    earlier: int = 0
    done: int = field(init=False)

    def __post_init__(self) -> None:
        self.done = self.earlier
        self._began = self._latest = time.monotonic()

    def advance(self) -> None:
        """One unit further."""
        self.done += 1
        self._latest = time.monotonic()

    def left(self) -> float | None:
        """Seconds that are left, if units go on to take as long; None before the first."""
        here = self.done - self.earlier
        if not here:
            return None
        expected = (self._latest - self._began) / here * (self.total - self.done)
        return max(0.0, expected - (time.monotonic() - self._latest))


class Bars:
    """Bars of the open tasks, with the time that is left of each.

    Rich's own estimate looks at the last half minute, in which a step of a run need not end.
    """

    def __init__(self, console: Console) -> None:
        one_line = Column(no_wrap=True, overflow="ellipsis")
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", table_column=one_line),
            MofNCompleteColumn(table_column=one_line),
        ]
        if console.width >= ROOM_FOR_TIME:
            columns.append(_Left(table_column=one_line))
        if console.width >= ROOM_FOR_BARS:
            columns.insert(1, BarColumn(bar_width=min(40, console.width // 4)))
            columns.append(TextColumn("{task.fields[note]}", table_column=one_line, markup=False))
        self._shown = Progress(*columns, console=console, transient=True, refresh_per_second=LOOKS_PER_SECOND)
        self._numbers: dict[int, TaskID] = {}
        self._shown.start()

    def add(self, task: Task, depth: int) -> Callable[[str], None]:
        """Shows a task below the others; to be called with a note whenever it has advanced."""
        title = "  " * depth + task.description
        number = self._shown.add_task(title, total=task.total, completed=task.done, note="", task=task)
        self._numbers[id(task)] = number
        return lambda note: self._shown.update(number, completed=task.done, note=note)

    def remove(self, task: Task) -> None:
        """Takes a task's bar away."""
        if id(task) in self._numbers:
            self._shown.remove_task(self._numbers.pop(id(task)))

    def stop(self) -> None:
        """Takes all bars away, and gives the cursor back."""
        self._shown.stop()


class _Left(ProgressColumn):
    """The time that is left of a task."""

    def render(self, task: Bar) -> Text:
        """See :class:`rich.progress.ProgressColumn`."""
        left = task.fields["task"].left()
        return Text("" if left is None else f"{duration(left)} left")
