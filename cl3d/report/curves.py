"""Accuracy over the classes seen, of one or several runs, as a picture."""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cl3d.atomic import write_bytes
from cl3d.errors import InputError
from cl3d.report.groups import Group, group_by_seed
from cl3d.report.style import curve_style


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
        results["folder"] = str(folder)
        steps, planned = len(results["accuracy_per_step"]), len(results["settings"]["classes_per_step"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path} is damaged ({error!r}): leave it out or run it again") from error
    if steps < planned:
        raise InputError(f"{path} has {steps} of {planned} steps: wait for the others, or leave it out")
    return results


def save_accuracy_curves(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Draws mean accuracy against classes seen, one curve for each number of steps, strategy and buffer.

    Runs that differ in their seeds alone are averaged, the band being their smallest and largest. A bound
    that learns all classes at once is a dashed line across.

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
    sizes = {steps for steps, _ in groups}
    for position, ((steps, name), group) in enumerate(groups.items()):
        name = f"{name}, {steps} steps" if len(sizes - {1}) > 1 else name
        style, label = curve_style(position), f"{name} ({len(group)})"
        if steps == 1 < max(sizes):  # all classes at once: a level, not a curve
            axes.axhline(_percent(group)[0][0], linestyle="--", color=style["color"], label=label)
            continue
        mean, low, high = _percent(group)
        classes = next(iter(group.values()))["settings"]["classes_per_step"]
        seen = list(accumulate(classes))
        axes.plot(seen, mean, label=label, **style)
        axes.fill_between(seen, low, high, color=style["color"], alpha=0.15, linewidth=0)
    axes.set(xlabel="classes seen", ylabel="accuracy on classes seen (%)")
    axes.grid(alpha=0.3)
    axes.legend(title="memory (runs)", loc="center left", bbox_to_anchor=(1.0, 0.5))
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format=path.suffix.removeprefix("."))
    write_bytes(path, picture.getvalue())


def _percent(group: Group) -> tuple[list[float], list[float], list[float]]:
    """Mean, smallest and largest accuracy after each step, in percent."""
    columns = list(zip(*(run["accuracy_per_step"] for run in group.values()), strict=True))
    mean, low, high = ([100 * of(column) for column in columns] for of in (statistics.fmean, min, max))
    return mean, low, high
