"""The runs in folders, newest first, as lines or as JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cl3d.errors import InputError
from cl3d.report.overview.entry import Entry, entry
from cl3d.report.units import duration

JOBS_WITHIN = ("compare", "compare_cl", "cross")
"""Scripts whose folders hold runs that they have started, which they sum up themselves."""

LONGEST = 50
"""Characters of a cell."""

NO_RUNS = ("logs", "memory", "state", "initial")
"""Folders of a run that hold none."""


def runs_in(folders: Sequence[Path], within: bool = False) -> list[Entry]:
    """The runs in the folders and below, the newest first.

    Args:
        within: also the single runs that comparisons have started.

    Raises:
        InputError: if one of the folders is not there.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}: give folders of runs")
    found = {one.folder.resolve(): one for folder in folders for one in _below(folder, within)}
    return sorted(found.values(), key=lambda one: one.last, reverse=True)


def _below(folder: Path, within: bool) -> Iterator[Entry]:
    own = entry(folder)
    if own is not None:
        yield own
        if own.script in JOBS_WITHIN and not within:
            return
    try:
        inner = sorted(path.path for path in os.scandir(folder) if path.is_dir(follow_symlinks=False))
    except OSError:  # not for us to read
        return
    for path in map(Path, inner):
        if path.name not in NO_RUNS:
            yield from _below(path, within)


def as_lines(entries: Sequence[Entry]) -> str:
    """A line for each run, and the commands that go on with what was interrupted."""
    good = [one for one in entries if one.state != "damaged"]
    rows = [_cells(one) for one in good]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [f"damaged: {one.folder}: {one.fault}" for one in entries if one.state == "damaged"]
    commands = [one.go_on for one in good if one.go_on is not None]
    if commands:
        lines += ["", "To go on:", *(f"  {command}" for command in commands)]
    return "\n".join(lines or ["no runs"])


def as_records(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The same for other programs; times in seconds since the epoch."""
    records = []
    for one in entries:
        plain = asdict(one)
        facts = plain.pop("facts")
        for known in ("finished", "failed", "headline"):
            facts.pop(known)
        records.append(plain | facts | {"folder": str(one.folder)})
    return records


def _cells(one: Entry) -> tuple[str, ...]:
    facts = one.facts
    done = "?" if facts.done is None else str(facts.done)
    progress = f"{done}/{facts.planned}" if facts.planned else ""
    nbytes = "" if facts.nbytes is None else f"{facts.nbytes:,} bytes"
    age = duration(max(0.0, time.time() - one.last))
    told = (age, one.state, one.script, facts.what, progress, facts.headline, nbytes)
    return (*(text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in told), str(one.folder))
