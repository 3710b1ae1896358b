"""Results of runs, and what they reach over the classes seen as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cl3d.errors import InputError
from cl3d.report.charts.of_runs import curves_over_classes
from cl3d.report.charts.paper import save_chart
from cl3d.report.headline import headline


def read_results(folder: Path) -> dict[str, Any]:
    """The results of a run that is finished; see :func:`load_results`.

    Raises:
        InputError: if there are none, or the run is not finished.
    """
    results = load_results(folder)
    steps, planned = len(headline(results).per_step), len(results["settings"]["classes_per_step"])
    if steps < planned:
        path = folder / "results.json"
        raise InputError(f"{path} has {steps} of {planned} steps: wait for the others, or leave it out")
    return results


def load_results(folder: Path) -> dict[str, Any]:
    """The ``results.json`` of a run folder, with ``seconds.json`` under ``seconds``, and so ``peak_memory``.

    Raises:
        InputError: if there is none, or a file is damaged.
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
        len(headline(results).per_step), len(results["settings"]["classes_per_step"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path} is damaged ({error!r}): leave it out or run it again") from error
    return results


def save_curves(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Draws what runs reach against classes seen; see :func:`cl3d.report.charts.of_runs.curves_over_classes`.

    Args:
        path: ends in .png, .pdf or .svg; the file appears whole or not at all.
        runs: results as :func:`read_results` gives them.

    Raises:
        InputError: if the ending is another one, or the file cannot be written.
    """
    save_chart(path, curves_over_classes(runs), legend="memory (runs)")
