"""Ledger: what a service elsewhere has been told, as it cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path

from cl3d.loggers.lines import Lines
from cl3d.loggers.row import Row


class Ledger:
    """A file with the service's name of a run in its first line, and the keys of the rows that it was told.

    A row is entered before it is told: where a process is killed between the two, one row is missing there.

    Attributes:
        run: the service's name of the run; None where it has none yet.
    """

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self.run: str | None = json.loads(self._lines.there[0])["run"] if self._lines.there else None
        self._there = set(self._lines.there[1:])

    def begin(self, run: str) -> None:
        """Notes the service's name of the run, where it is new."""
        if self.run is None:
            self.run = run
            self._lines.append(json.dumps({"run": run}))

    def enter(self, row: Row) -> bool:
        """Whether the row is new; it is entered."""
        if row.key in self._there:
            return False
        self._there.add(row.key)
        self._lines.append(row.key)
        return True

    def close(self) -> None:
        """Closes the file."""
        self._lines.close()
