"""What each set is worth to each network, as a table of the cells that are finished."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from cl3d.report.headline import measured
from cl3d.report.text_tables import markdown, percent

OWN = "†"
"""Marks the model that a set was distilled with."""

Results = Sequence[dict[str, Any]]
"""See :meth:`cl3d.report.cross.Cross.results`."""


def accuracies(results: Results) -> str:
    """The table of accuracies, or of instance mIoUs, and a line that says what stands in it, as Markdown.

    A row for each set, a column for each model, in the order in which they come.
    """
    figure, key = measured(results[0])
    sets, models, seeds = (_in_order(results, key) for key in ("set", "model", "seed"))
    rows = []
    for name in sets:
        mine = [result for result in results if result["set"] == name]
        nbytes = mine[0]["nbytes"]
        head = [name, mine[0]["distilled_with"] or "–", "–" if nbytes is None else f"{nbytes:,}"]
        cells = [[result for result in mine if result["model"] == model] for model in models]
        rows.append([*head, *(_shown(cell, key, len(seeds)) for cell in cells)])
    over = f"over {len(seeds)} seeds" if len(seeds) > 1 else "of one seed"
    count = max(result["networks"] for result in results)
    networks = "one network" if count == 1 else f"{count} networks"
    legend = f"Test {figure} in percent, mean ± standard deviation {over}, {networks} for each seed."
    table = markdown(["set", "distilled with", "bytes", *models], rows)
    return f"{table}\n{legend} {OWN} the model that the set was distilled with.\n"


def costs(results: Results) -> str:
    """What a cell of each model took, as Markdown."""
    rows = []
    for model in _in_order(results, "model"):
        mine = [result for result in results if result["model"] == model]
        seconds = statistics.fmean(result["seconds"] for result in mine)
        peak = max(result["peak_bytes"] for result in mine) / (1 << 20)
        rows.append([model, str(len(mine)), f"{seconds:.0f}", f"{peak:.0f}"])
    return markdown(["model", "cells", "seconds of each", "peak MiB"], rows)


def _shown(cell: Results, key: str, seeds: int) -> str:
    if not cell:
        return "–"
    missing = f" ({len(cell)} of {seeds})" if len(cell) < seeds else ""
    own = f" {OWN}" if cell[0]["own"] else ""
    return percent([result[key] for result in cell]) + missing + own


def _in_order(results: Results, key: str) -> list[Any]:
    return list(dict.fromkeys(result[key] for result in results))
