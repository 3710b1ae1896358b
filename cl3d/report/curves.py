"""Accuracy over the classes seen, of one or several runs, as a picture."""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cl3d.atomic import write_bytes
from cl3d.errors import InputError
from cl3d.report.gallery import PALETTE
from cl3d.report.groups import group_by_seed

MARKERS = "osD^vPX"


def read_results(folder: Path) -> dict[str, Any]:
    """The ``results.json`` of a run folder, with ``seconds.json`` under ``seconds``, and so ``peak_memory``.

    Raises:
        InputError: if there is none, or the run is not finished.
    """
    path = folder / "results.json"
    if not path.is_file():
        raise InputError(f"there is no {path}: give a folder that cl_run.py wrote")
    try:
        results: dict[str, Any] = json.loads(path.read_text())
        if "seconds" not in results:  # the first version had them in the same file
            results["seconds"] = json.loads((folder / "seconds.json").read_text())
        peaks = folder / "peak_memory.json"
        results["peak_memory"] = json.loads(peaks.read_text()) if peaks.exists() else None
        steps, planned = len(results["accuracy_per_step"]), len(results["settings"]["classes_per_step"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path} is damaged ({error!r}): leave it out or run it again") from error
    if steps < planned:
        raise InputError(f"{path} has {steps} of {planned} steps: wait for the others, or leave it out")
    return results


def save_accuracy_curves(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Draws mean accuracy against classes seen, one curve for each number of steps, strategy and buffer.

    Runs that differ in their seed alone are averaged, the band being their smallest and largest.

    Args:
        path: ends in .png, .pdf or .svg; the file appears whole or not at all.
        runs: results as :func:`read_results` gives them.

    Raises:
        InputError: if the ending is another one, or the file cannot be written.
    """
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}: give .png, .pdf or .svg")
    groups = group_by_seed(runs)
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    several = len({steps for steps, _ in groups}) > 1
    for position, ((steps, name), seeds) in enumerate(groups.items()):
        members = list(seeds.values())
        name = f"{name}, {steps} steps" if several else name
        colour, marker = PALETTE[position % len(PALETTE)], MARKERS[position % len(MARKERS)]
        sizes = members[0]["settings"]["classes_per_step"]
        seen = [sum(sizes[: step + 1]) for step in range(steps)]
        columns = list(zip(*(run["accuracy_per_step"] for run in members), strict=True))
        mean = [100 * statistics.fmean(column) for column in columns]
        axes.plot(seen, mean, color=colour, marker=marker, label=f"{name} ({len(members)})")
        low, high = [100 * min(c) for c in columns], [100 * max(c) for c in columns]
        axes.fill_between(seen, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="classes seen", ylabel="accuracy on classes seen (%)")
    axes.grid(alpha=0.3)
    axes.legend(title="memory (runs)", loc="center left", bbox_to_anchor=(1.0, 0.5))
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format=path.suffix.removeprefix("."))
    write_bytes(path, picture.getvalue())
