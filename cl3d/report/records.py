"""Summaries and runs as records with all their numbers, for CSV files, as fractions.

They are of accuracies, or of what a column ``figure`` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cl3d.report.groups import Run, dataset_of, label, steps_of
from cl3d.report.headline import figure_name
from cl3d.report.summary import METRICS, Estimate, Row, Summary


def of_rows(summary: Summary) -> list[dict[str, Any]]:
    """A record for each row of a table."""
    return [_record(summary, row) for row in summary.rows]


def of_runs(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A record for each run."""
    return [
        {
            "dataset": dataset_of(run),
            "strategy": run["settings"]["strategy"],
            "steps": steps_of(run),
            "memory": label(run),
            "order_seed": run["settings"].get("order_seed", run["settings"]["seed"]),
            "seed": run["settings"]["seed"],
            **_figure(figure_name(run)),
            **{name: of(run) for name, of in METRICS.items()},
            "memory_bytes": run["memory_bytes"],
            "memory_clouds": run["memory_clouds_per_step"][-1],
            "seconds": run["seconds"]["total"],
            "folder": run.get("folder"),
        }
        for run in runs
    ]


def _record(summary: Summary, row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {"dataset": summary.dataset, "protocol": summary.protocol}
    told |= {"steps": row.steps, "memory": row.name, "runs": row.runs, **_figure(summary.figure)}
    for metric, estimate in row.metrics.items():
        told |= _numbers(metric, estimate)
    if summary.reference is not None:
        told |= _numbers("difference", row.difference)
    cost = {"memory_bytes": row.nbytes, "memory_clouds": row.clouds, "moved_mean": row.moved}
    return told | cost | {"seconds": row.seconds, "peak_bytes": row.peak_bytes}


def _figure(name: str) -> dict[str, str]:
    """Says what the numbers are of, where that is not accuracy."""
    return {} if name == "accuracy" else {"figure": name}


def _numbers(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return dict.fromkeys((name, f"{name}_std", f"{name}_low", f"{name}_high"))
    low, high = estimate.interval or (None, None)
    return {name: estimate.mean, f"{name}_std": estimate.deviation, f"{name}_low": low, f"{name}_high": high}
