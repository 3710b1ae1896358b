"""Progress, header and tables on the terminal; plain lines where there is none."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cl3d.progress import Advance
from cl3d.report.bars import Bars, Task
from cl3d.report.units import duration

PLAIN_INTERVAL = 30.0
"""Seconds between two plain lines about one task."""

OUTER_INTERVAL = 5.0
"""The same for the outermost task."""


class Terminal:
    """Shows a run on the terminal.

    Nested bars with time left on a terminal; otherwise, or with ``CI`` set, a line now and then: for
    the outermost task at most every five seconds and at its end, for an inner one every half minute.

    Args:
        console: where to; standard output by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._bars: Bars | None = None
        self._open: list[Task] = []

    @property
    def live(self) -> bool:
        """Whether bars can be drawn: on a terminal that moves its cursor, and not where ``CI`` is set."""
        in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        return self.console.file.isatty() and not self.console.is_dumb_terminal and not in_ci

    def header(self, rows: Sequence[tuple[str, str]]) -> None:
        """Prints what is going to run."""
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(f"[bold]{name}[/bold]", value)
        self._print(table)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a table; the first column is aligned left, the others right."""
        table = Table(title=title, title_justify="left")
        for position, column in enumerate(columns):
            table.add_column(column, justify="left" if position == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self._print(table)

    def say(self, text: str) -> None:
        """Prints a line of rich's markup, above the bars where there are any."""
        self._print(text)

    @contextmanager
    def progress(self, description: str, total: int, done: int = 0, each: str = "") -> Iterator[Advance]:
        """A task; see :class:`cl3d.progress.Progress`."""
        del each
        task = Task(description, total, done)
        self._open.append(task)
        try:
            if self.live:
                with self._bar(task) as advance:
                    yield advance
            else:
                yield self._plain(task)
        finally:
            self._open.remove(task)

    @contextmanager
    def _bar(self, task: Task) -> Iterator[Advance]:
        outermost = self._bars is None
        bars = self._bars = self._bars or Bars(self.console)
        try:
            show = bars.add(task, depth=len(self._open) - 1)

            def advance(note: str = "", **figures: float) -> None:
                task.advance()
                show(note or said(figures))

            yield advance
        finally:
            bars.remove(task)
            if outermost:  # also where this is left by Ctrl-C: the cursor is there again
                bars.stop()
                self._bars = None

    def _plain(self, task: Task) -> Advance:
        outermost = len(self._open) == 1
        title = " > ".join(open_.description for open_ in self._open[1:]) or task.description
        last = -math.inf if outermost else time.monotonic()
        interval = OUTER_INTERVAL if outermost else PLAIN_INTERVAL

        def advance(note: str = "", **figures: float) -> None:
            nonlocal last
            task.advance()
            now = time.monotonic()
            if now - last >= interval or (outermost and task.done == task.total):
                last, told = now, note or said(figures)
                left = f", {duration(task.left() or 0.0)} left" if task.done < task.total else ""
                self._print(Text(f"{title} {task.done}/{task.total}{left}" + (f": {told}" if told else "")))

        return advance

    def _print(self, shown: RenderableType) -> None:
        # lines that are read by other programs stay whole; below a terminal's lines stand bars to be kept
        self.console.print(shown, soft_wrap=self._bars is None)


def said(figures: dict[str, float]) -> str:
    """What a unit of work came to, beside its bar: loss 0.1234, moved 0.02."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures.items())


class DownloadReport:
    """Shows a download's progress: one line rewritten on a terminal, otherwise a line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._start: tuple[float, int] | None = None
        self._last = 0.0

    def __call__(self, held: int, total: int | None) -> None:
        """Told of the bytes held and, where known, the bytes in all; see ``cl3d.data.transfer.Report``."""
        now = time.monotonic()
        if self._start is None:
            self._start = now, held
        interval = 0.5 if self.console.is_terminal else PLAIN_INTERVAL
        if held != total and now - self._last < interval:
            return
        self._last = now
        text = f"downloading: {held / (1 << 20):.1f} MiB"
        if total is not None:
            began, first = self._start
            rate = (held - first) / max(now - began, 1e-9)
            left = f", {duration((total - held) / rate)} left" if rate > 0 else ""
            text += f" of {total / (1 << 20):.1f} MiB{left}"
        rewrite = self.console.is_terminal and held != total
        self.console.print(text, end="   \r" if rewrite else "   \n", soft_wrap=True)
