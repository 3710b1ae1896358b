"""Csv: a table for each kind of work."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cl3d.loggers.lines import Lines
from cl3d.loggers.row import Row


class Csv:
    """Writes ``logs/steps.csv``, ``logs/condensing.csv`` and so on, with a line for each row."""

    name = "csv"

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See :class:`cl3d.loggers.log.Logger`; the settings are in the run's ``config.yaml``."""
        del settings
        self._folder = folder
        self._tables: dict[str, _Table] = {}

    def write(self, row: Row) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        table = self._tables.get(row.task)
        if table is None:
            table = self._tables[row.task] = _Table(self._folder / f"{row.task}.csv", row)
        table.write(row)

    def close(self, status: str) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        del status
        for table in self._tables.values():
            table.lines.close()


class _Table:
    """One file. Its columns are those of its first row."""

    def __init__(self, path: Path, first: Row) -> None:
        self.path, self.lines = path, Lines(path)
        places = len(first.place)
        rows = list(csv.reader(self.lines.there))
        if rows:
            self._columns = rows[0]
        else:
            self._columns = _names(first)
            self.lines.append(_line(self._columns))
        self._there = {tuple(cells[:places]) for cells in rows[1:]}

    def write(self, row: Row) -> None:
        if _names(row) != self._columns:
            raise ValueError(f"{self.path} has other columns: remove it, or give another folder")
        place = tuple(str(number) for _, number in row.place)
        if place not in self._there:
            self._there.add(place)
            self.lines.append(_line([*place, *("" if v is None else v for v in row.figures.values())]))


def _names(row: Row) -> list[str]:
    return [*(name for name, _ in row.place), *row.figures]


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
