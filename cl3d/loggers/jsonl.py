"""Jsonl: everything in one file, an object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cl3d.loggers.lines import Lines
from cl3d.loggers.row import Row


class Jsonl:
    """Writes ``logs/log.jsonl``: the settings, then ``{"task": ..., "at": {...}, ...}`` for each row."""

    name = "jsonl"

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        self._lines = Lines(folder / "log.jsonl")
        if not self._lines.there:
            self._lines.append(json.dumps({"task": "settings", "settings": settings}))
        self._there = {_key(json.loads(line)) for line in self._lines.there}

    def write(self, row: Row) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        record = {"task": row.task, "at": dict(row.place)}
        if _key(record) in self._there:
            return
        self._there.add(_key(record))
        self._lines.append(json.dumps(record | {name: _known(v) for name, v in row.figures.items()}))

    def close(self, status: str) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        del status
        self._lines.close()


def _key(record: Mapping[str, Any]) -> str:
    return json.dumps([record["task"], record.get("at")])


def _known(value: float | None) -> float | None:
    """JSON has no infinities."""
    return value if value is not None and math.isfinite(value) else None
