"""Progress, header and tables on the terminal; plain lines where there is none."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cl3d.progress import Advance

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
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._bars: Progress | None = None
        self._depth = 0

    @property
    def live(self) -> bool:
        """Whether bars can be drawn."""
        return self.console.is_terminal and not os.environ.get("CI")

    def header(self, rows: Sequence[tuple[str, str]]) -> None:
        """Prints what is going to run."""
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(f"[bold]{name}[/bold]", value)
        self.console.print(table)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a table; the first column is aligned left, the others right."""
        table = Table(title=title, title_justify="left")
        for position, column in enumerate(columns):
            table.add_column(column, justify="left" if position == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def say(self, text: str) -> None:
        """Prints a line, above the bars where there are any."""
        self.console.print(text)

    @contextmanager
    def progress(self, description: str, total: int, done: int = 0) -> Iterator[Advance]:
        """A task; see :class:`cl3d.progress.Progress`."""
        self._depth += 1
        try:
            if self.live:
                with self._bar(description, total, done) as advance:
                    yield advance
            else:
                yield self._plain(description, total, done, outermost=self._depth == 1)
        finally:
            self._depth -= 1

    @contextmanager
    def _bar(self, description: str, total: int, done: int) -> Iterator[Advance]:
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[note]}"),
                console=self.console,
                transient=True,
            )
            self._bars.start()
        bars = self._bars
        task = bars.add_task("  " * (self._depth - 1) + description, total=total, completed=done, note="")

        def advance(note: str = "") -> None:
            bars.update(task, advance=1, note=note)

        try:
            yield advance
        finally:
            bars.remove_task(task)
            if self._depth == 1:
                bars.stop()
                self._bars = None

    def _plain(self, description: str, total: int, done: int, outermost: bool) -> Advance:
        start = time.monotonic()
        last = -math.inf if outermost else start
        interval = OUTER_INTERVAL if outermost else PLAIN_INTERVAL
        now_done = 0

        def advance(note: str = "") -> None:
            nonlocal now_done, last
            now_done += 1
            now, finished = time.monotonic(), done + now_done
            if now - last >= interval or (outermost and finished == total):
                last = now
                left = duration((now - start) / now_done * (total - finished))
                self.say(f"{description} {finished}/{total}, {left} left" + (f": {note}" if note else ""))

        return advance


class DownloadReport:
    """Shows a download's progress: one line rewritten on a terminal, otherwise a line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
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
        self.console.print(text, end="   \r" if rewrite else "   \n")


def duration(seconds: float) -> str:
    """Seconds as a person says them: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 1:
        return "1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(nbytes: int) -> str:
    """Bytes with thousands apart, and in KiB or MiB where that is shorter: 614,400 bytes (600.0 KiB)."""
    text = f"{nbytes:,} bytes"
    if nbytes >= 1 << 20:
        return f"{text} ({nbytes / (1 << 20):.1f} MiB)"
    return f"{text} ({nbytes / (1 << 10):.1f} KiB)" if nbytes >= 1 << 10 else text
