"""Tables as text: Markdown, CSV, and the mean of percentages with their spread."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Sequence
from typing import Any


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a document, a line each, the last one ended, too."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def as_csv(results: Sequence[dict[str, Any]]) -> str:
    """A line for each result, which all have the keys of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(results[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(results)
    return text.getvalue()


def percent(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation of fractions, in percent; of one its value."""
    return spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def spread(mean: float, deviation: float | None) -> str:
    """The same of a mean and its deviation, where there is one."""
    shown = f"{100 * mean:.1f}"
    return shown if deviation is None else f"{shown} ± {100 * deviation:.1f}"
