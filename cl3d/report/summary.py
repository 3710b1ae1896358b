"""Runs summarised: means and spreads over seeds and class orders, differences paired."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cl3d.errors import InputError
from cl3d.report.bootstrap import bootstrap_interval
from cl3d.report.groups import (
    PROTOCOLS,
    Group,
    Run,
    budget_of,
    dataset_of,
    group_by_seed,
    label,
    paired,
    steps_of,
    tasks_of,
)
from cl3d.report.headline import figure_name, headline

METRICS: dict[str, Callable[[Run], float | None]] = {
    "final": lambda run: headline(run).final,
    "average": lambda run: headline(run).average if steps_of(run) > 1 else None,
    "final_task_incremental": lambda run: _task_incremental(run),
    "forgetting_max_minus_last": lambda run: _forgetting(run, "max_minus_last"),
    "forgetting_first_minus_last": lambda run: _forgetting(run, "first_minus_last"),
    "forward_transfer": lambda run: run.get("forward_transfer"),
}
"""What is averaged, as fractions; None where a run does not have it. Where all classes come at once there is
no average over steps, and nothing is forgotten: a number would stand beside what it does not compare with.
All are of the figure that a run is judged by."""


@dataclass(frozen=True)
class Estimate:
    """A mean over runs.

    Attributes:
        deviation: sample standard deviation; None of one run.
        interval: of the mean, by bootstrap; None of one run.
    """

    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """One memory, or a bound.

    Attributes:
        runs: how many were averaged.
        metrics: by the names of :data:`METRICS`; None where no run has it.
        difference: of the final figure to the reference's, paired; None for the reference itself.
        nbytes: of the memory at the end, the largest of the runs.
        clouds: decoded, at the end, the mean.
        moved: mean distance that points moved; None where nothing is moved.
        seconds: of a run, the mean.
        peak_bytes: of a run's process, the largest; None where it was not measured.
    """

    name: str
    steps: int
    runs: int
    metrics: dict[str, Estimate | None]
    difference: Estimate | None
    nbytes: int
    clouds: float
    moved: float | None
    seconds: float
    peak_bytes: int | None


@dataclass(frozen=True)
class Summary:
    """One table: one data set, protocol, number of steps and budget.

    Attributes:
        dataset: its name; None where the results do not tell it.
        protocol, budget: None where there are bounds alone.
        reference: the row that others are compared with, or None.
        rows: by the final figure.
        figure: what runs are judged by: ``accuracy``, or ``instance mIoU`` where networks segment.
    """

    dataset: str | None
    protocol: str | None
    steps: int
    budget: str | None
    reference: str | None
    rows: tuple[Row, ...]
    figure: str = "accuracy"


def summarize(runs: Sequence[Run], reference: str | None = None) -> Summary:
    """Averages the runs of one table.

    Args:
        reference: the memory that others are compared with, run by run: the same class order, initial
            weights and draws. Its buffer is enough where one row has it.

    Raises:
        InputError: if the runs cannot stand side by side, or the reference is missing.
    """
    steps = max(map(steps_of, runs))
    groups = group_by_seed([_told_steps(run, steps) for run in runs])
    if reference is not None:
        reference = _named(reference, _names(runs))
    base = next((g for (n, name), g in sorted(groups.items(), reverse=True) if name == reference), {})
    rows = [_row(name, n, group, base) for (n, name), group in groups.items()]
    protocols = {run["settings"]["strategy"] for run in runs} & set(PROTOCOLS)
    budget = next(filter(None, map(budget_of, runs)), None)
    ranked = sorted(rows, key=lambda row: (row.steps, _mean(row)))
    return Summary(
        dataset=dataset_of(runs[0]),
        protocol=next(iter(protocols), None),
        steps=steps,
        budget=budget,
        reference=reference,
        rows=tuple(ranked),
        figure=figure_name(runs[0]),
    )


def summarize_each(tables: Sequence[Sequence[Run]], reference: str | None = None) -> list[Summary]:
    """The same for several tables; those that lack the reference, as runs of it may be left, go without.

    Raises:
        InputError: if the runs of a table cannot stand side by side, or all lack the reference.
    """
    has = [reference is None or len(_meant(reference, _names(runs))) == 1 for runs in tables]
    return [
        summarize(runs, reference if there or not any(has) else None)
        for runs, there in zip(tables, has, strict=True)
    ]


def _names(runs: Sequence[Run]) -> list[str]:
    return sorted(set(map(label, runs)))


def _meant(reference: str, names: Sequence[str]) -> list[str]:
    """The rows that a reference may mean: as one command names rows of several protocols."""
    if reference in names:
        return [reference]
    return [name for name in names if name.startswith(f"{reference}, ")]


def _told_steps(run: Run, steps: int) -> Run:
    """The run, without task-incremental accuracy where the tasks are not the steps of the table."""
    others = steps_of(run) == 1 < steps != tasks_of(run)
    return run | {"task_incremental_accuracy_per_step": None} if others else run


def _task_incremental(run: Run) -> float | None:
    """After the last step, each cloud's step being told; None where that tells nothing."""
    values = run.get("task_incremental_accuracy_per_step")
    return float(values[-1]) if values and tasks_of(run) > 1 else None


def _forgetting(run: Run, kind: str) -> float | None:
    return float(run["forgetting"][kind]) if steps_of(run) > 1 else None


def _named(reference: str, names: Sequence[str]) -> str:
    """The row that a reference means."""
    meant = _meant(reference, names)
    if len(meant) == 1:
        return meant[0]
    raise InputError(f"reference={reference} is not one of the rows: give one of {'; '.join(meant or names)}")


def _row(name: str, steps: int, group: Group, base: Group) -> Row:
    members = list(group.values())
    moved = [
        step["moved_mean"] for run in members for step in run["condensing_per_step"] if "moved_mean" in step
    ]
    peaks = [run["peak_memory"]["highest"] for run in members if run.get("peak_memory")]
    keys = [(seed if order is None else order, seed) for order, seed in group]
    differences = {key: _final(run) - _final(partner) for key, (run, partner) in paired(group, base).items()}
    return Row(
        name=name,
        steps=steps,
        runs=len(members),
        metrics={
            metric: _estimate(dict(zip(keys, map(of, members), strict=True)))
            for metric, of in METRICS.items()
        },
        difference=_estimate(differences) if group is not base else None,
        nbytes=max(run["memory_bytes"] for run in members),
        clouds=statistics.fmean(run["memory_clouds_per_step"][-1] for run in members),
        moved=statistics.fmean(moved) if moved else None,
        seconds=statistics.fmean(run["seconds"]["total"] for run in members),
        peak_bytes=max(peaks, default=None),
    )


def _final(run: Run) -> float:
    final = headline(run).final
    assert final is not None
    return final


def _mean(row: Row) -> float:
    final = row.metrics["final"]
    assert final is not None
    return final.mean


def _estimate(values: Mapping[tuple[int, int], float | None]) -> Estimate | None:
    known = {key: value for key, value in values.items() if value is not None}
    if not known:
        return None
    numbers = list(known.values())
    deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
    return Estimate(statistics.fmean(numbers), deviation, bootstrap_interval(known))
