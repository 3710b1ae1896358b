"""Finished runs as one Markdown table, with differences paired by seed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from cl3d.errors import InputError
from cl3d.report.groups import Group, group_by_seed

COLUMNS = ("final %", "average %", "forgetting", "forward", "bytes", "clouds", "moved", "seconds", "peak MiB")


def markdown_table(runs: Sequence[dict[str, Any]], reference: str | None = None) -> str:
    """One line for each memory and number of steps: mean ± sample standard deviation over seeds.

    Forgetting is max minus last, ``forward`` the forward transfer, in percentage points both; a dash stands
    for what a run does not have.

    Args:
        runs: results as :func:`cl3d.report.curves.read_results` gives them, of one data set.
        reference: the memory that others are compared with, seed by seed (equal class order and
            initial weights); None leaves the column out.

    Raises:
        InputError: if runs of different data would meet in one table, or the reference is missing.
    """
    groups = group_by_seed(runs)
    names = sorted({name for _, name in groups})
    if reference is not None and reference not in names:
        raise InputError(f"reference={reference} is not among the runs: give one of {', '.join(names)}")
    head = ["steps", "memory", "seeds", *COLUMNS]
    if reference is not None:
        head.append(f"final − {reference}, paired")
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for (steps, name), members in sorted(groups.items(), key=lambda item: _rank(*item)):
        cells = [str(steps), name, str(len(members)), *_cells(list(members.values()))]
        if reference is not None:
            cells.append(_paired(members, groups.get((steps, reference), {})))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rank(key: tuple[int, str], members: Group) -> tuple[int, float]:
    return key[0], statistics.fmean(run["final_accuracy"] for run in members.values())


def _cells(members: Sequence[dict[str, Any]]) -> list[str]:
    moved = [
        step["moved_mean"] for run in members for step in run["condensing_per_step"] if "moved_mean" in step
    ]
    peaks = [run["peak_memory"]["highest"] for run in members if run.get("peak_memory")]
    return [
        _percent([run["final_accuracy"] for run in members]),
        _percent([run["average_accuracy"] for run in members]),
        _percent([run["forgetting"]["max_minus_last"] for run in members]),
        _percent([run["forward_transfer"] for run in members if run.get("forward_transfer") is not None]),
        f"{members[0]['memory_bytes']:,}",
        f"{statistics.fmean(run['memory_clouds_per_step'][-1] for run in members):,.0f}",
        f"{statistics.fmean(moved):.3f}" if moved else "–",
        f"{statistics.fmean(run['seconds']['total'] for run in members):.0f}",
        f"{max(peaks) / (1 << 20):,.0f}" if peaks else "–",
    ]


def _paired(members: Group, reference: Group) -> str:
    differences = [
        100 * (run["final_accuracy"] - reference[seed]["final_accuracy"])
        for seed, run in members.items()
        if seed in reference
    ]
    if not differences or members is reference:
        return "–"
    spread = f" ({min(differences):+.1f} to {max(differences):+.1f})" if len(differences) > 1 else ""
    return f"{statistics.fmean(differences):+.1f}{spread}"


def _percent(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = 100 * statistics.fmean(values)
    return f"{mean:.1f} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else f"{mean:.1f}"
