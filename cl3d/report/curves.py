"""Accuracy over the classes seen, of one or several runs, as a picture."""

from __future__ import annotations

import io
import json
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cl3d.atomic import write_bytes
from cl3d.errors import InputError
from cl3d.report.gallery import PALETTE

MARKERS = "osD^vPX"


def read_results(folder: Path) -> dict[str, Any]:
    """The ``results.json`` of a run folder.

    Raises:
        InputError: if there is none, or it has no finished step.
    """
    path = folder / "results.json"
    if not path.is_file():
        raise InputError(f"there is no {path}: give a folder that cl_run.py wrote")
    results: dict[str, Any] = json.loads(path.read_text())
    if not results["accuracy_per_step"]:
        raise InputError(f"{path} has no finished step yet: wait for the first one")
    return results


def save_accuracy_curves(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Draws mean accuracy against classes seen, one curve for each strategy and buffer.

    Runs that differ in their seed alone are averaged, the band being their smallest and largest.

    Args:
        path: ends in .png, .pdf or .svg; the file appears whole or not at all.
        runs: results as :func:`read_results` gives them.

    Raises:
        InputError: if the ending is another one, or the file cannot be written.
    """
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}: give .png, .pdf or .svg")
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        groups[label(run)].append(run)
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for position, (name, members) in enumerate(groups.items()):
        colour, marker = PALETTE[position % len(PALETTE)], MARKERS[position % len(MARKERS)]
        sizes = members[0]["settings"]["classes_per_step"]
        steps = min(len(run["accuracy_per_step"]) for run in members)
        seen = [sum(sizes[: step + 1]) for step in range(steps)]
        columns = list(zip(*(run["accuracy_per_step"][:steps] for run in members), strict=True))
        mean = [100 * statistics.fmean(column) for column in columns]
        axes.plot(seen, mean, color=colour, marker=marker, label=f"{name} ({len(members)})")
        low, high = [100 * min(c) for c in columns], [100 * max(c) for c in columns]
        axes.fill_between(seen, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="classes seen", ylabel="accuracy on classes seen (%)")
    axes.grid(alpha=0.3)
    axes.legend(title="memory (runs)")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format=path.suffix.removeprefix("."))
    write_bytes(path, picture.getvalue())


def label(run: dict[str, Any]) -> str:
    """What a run is called in a legend or table: its buffer, and its strategy where that is not scratch."""
    settings = run["settings"]
    buffer, strategy = settings["buffer"], settings["strategy"]
    if buffer is None:
        return str(strategy)
    return str(buffer) if strategy == "scratch" else f"{buffer}, {strategy}"
