"""The charts of continual runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from cl3d.report.charts.values import BarChart, Chart, HeatMap, Line, LineChart
from cl3d.report.groups import PROTOCOLS, Group, Run, group_by_seed, label, steps_of
from cl3d.report.headline import figure_name, headline

KIB, MIB = 1 << 10, 1 << 20


def curves_over_classes(runs: Sequence[Run], main: Run | None = None) -> LineChart:
    """What runs are judged by, on the classes seen, against their number: a curve for each memory and bound.

    Runs that differ in their seeds alone are averaged, the band being their smallest and largest. What learns
    all classes at once is a level across.

    Args:
        main: of the runs, the one to look at; a curve of its own.

    Raises:
        InputError: if the runs cannot stand side by side.
    """
    groups = [(key, group) for key, group in group_by_seed([r for r in runs if r is not main]).items()]
    sizes = {steps_of(run) for run in runs}
    lines = [] if main is None else [_curve(label(main), {(None, 0): main}, main=True)]
    seen = max((_seen(run) for run in runs), key=len)
    for (steps, name), group in groups:
        told = f"{name}, {steps} steps" if len(sizes - {1}) > 1 else name
        told = f"{told} ({len(group)})"
        lines.append(_level(told, group, seen) if steps == 1 < max(sizes) else _curve(told, group))
    last = [line for line in lines if line.y and line.y[-1] is not None]
    ends = ", ".join(f"{line.name} {line.y[-1]:.1f} %" for line in last)
    return LineChart(
        f"{headline(runs[0]).title} over the classes seen",
        "classes seen",
        f"{figure_name(runs[0])} on classes seen (%)",
        seen,
        tuple(lines),
        f"After the last step: {ends}.",
    )


def matrix_of(run: Run) -> HeatMap:
    """Row i: after step i; column j: the test clouds of step j's classes; in percent."""
    told = headline(run)
    matrix = told.matrix
    columns = tuple(str(j + 1) for j in range(steps_of(run)))
    names = tuple(str(i + 1) for i in range(len(matrix)))
    values = tuple(tuple(None if v is None else 100 * v for v in row) for row in matrix)
    return HeatMap(
        f"{told.title} matrix (%)",
        "classes of step",
        "after step",
        columns,
        names,
        values,
        "A row is the network after a step, a column the test clouds of the classes that a step brought.",
    )


def forgetting_by_step(run: Run) -> LineChart:
    """What was reached on each step's classes right after they were learnt, at best, and at last."""
    matrix, name = headline(run).matrix, figure_name(run)
    columns = [[100 * v for row in matrix[j:] if (v := row[j]) is not None] for j in range(len(matrix))]
    lines = (
        Line("right after it was learnt (first)", [c[0] if c else None for c in columns]),
        Line("best ever (max)", [max(c) if c else None for c in columns]),
        Line("after the last step (last)", [c[-1] if c else None for c in columns], main=True),
    )
    told = run["forgetting"]
    return LineChart(
        "What is left of each step",
        "classes of step",
        f"{name} (%)",
        tuple(float(j + 1) for j in range(len(matrix))),
        lines,
        f"Forgetting is {100 * told['max_minus_last']:.1f} points from the best and "
        f"{100 * told['first_minus_last']:.1f} from the first, on average over the earlier steps.",
        (0.0, 100.0),
    )


def seconds_by_step(run: Run) -> BarChart:
    """Seconds of condensing, training and testing."""
    steps = run["seconds"]["per_step"]
    parts = {name: [step.get(name) for step in steps] for name in _activities(steps)}
    total = sum(value or 0.0 for values in parts.values() for value in values)
    return BarChart("Seconds per step", "step", "s", _numbers(steps), parts, f"{total:,.1f} s in all.")


def memory_by_step(run: Run) -> BarChart:
    """Bytes of the memory after each step, in KiB."""
    sizes = run["memory_bytes_per_step"]
    last = sizes[-1] if sizes else 0
    kib = [size / KIB for size in sizes]
    about = f"{last:,} bytes after the last step."
    return BarChart(
        "Bytes of the memory after each step", "step", "KiB", _numbers(sizes), {"memory": kib}, about
    )


def peak_by_step(run: Run) -> LineChart:
    """Highest memory of the process, or on CUDA of torch's tensors, in MiB."""
    steps = run["peak_memory"]["per_step"]
    lines = tuple(
        Line(name, [None if not step.get(name) else step[name] / MIB for step in steps])
        for name in _activities(steps)
    )
    about = f"{run['peak_memory']['highest'] / MIB:,.0f} MiB at the highest."
    return LineChart("Peak memory per step", "step", "MiB", tuple(range(1, len(steps) + 1)), lines, about)


def charts_of(run: Run) -> dict[str, Chart]:
    """The charts of one run, by short names; those that it has the numbers for."""
    charts: dict[str, Chart] = {}
    steps = len(headline(run).matrix)
    if steps:
        charts["matrix"] = matrix_of(run)
    if steps > 1:
        charts["forgetting"] = forgetting_by_step(run)
    if run["seconds"].get("per_step"):
        charts["seconds"] = seconds_by_step(run)
    if any(run.get("memory_bytes_per_step") or ()):
        charts["bytes"] = memory_by_step(run)
    if (run.get("peak_memory") or {}).get("per_step"):
        charts["peak"] = peak_by_step(run)
    return charts


def costs_side_by_side(names: Sequence[str], runs: Sequence[Run]) -> list[LineChart]:
    """Bytes, seconds and peak memory of each step, a curve for each run; those that some run has."""
    sizes = [[size / KIB for size in run.get("memory_bytes_per_step") or ()] for run in runs]
    seconds = [[sum(step.values()) for step in run["seconds"].get("per_step") or ()] for run in runs]
    peaks = [
        [max(step.values()) / MIB for step in (run.get("peak_memory") or {}).get("per_step") or ()]
        for run in runs
    ]
    told = (
        ("Bytes of the memory after each step", "KiB", [size if any(size) else [] for size in sizes]),
        ("Seconds per step", "s", seconds),
        ("Peak memory per step", "MiB", peaks),
    )
    charts = []
    for title, unit, values in told:
        lines = tuple(
            Line(name, mine, at=tuple(range(1, len(mine) + 1)))
            for name, mine in zip(names, values, strict=True)
            if mine
        )
        last = ", ".join(f"{line.name} {line.y[-1]:,.4g} {unit}" for line in lines)
        if lines:
            charts.append(LineChart(title, "step", unit, (), lines, f"In the last step: {last}."))
    return charts


def _curve(name: str, group: Group, main: bool = False) -> Line:
    run = next(iter(group.values()))
    mean, low, high = _percent(group)
    bound = run["settings"]["strategy"] not in PROTOCOLS
    return Line(name, mean, low, high, main, bound and not main, _seen(run)[: len(mean)])


def _level(name: str, group: Group, seen: tuple[float, ...]) -> Line:
    """What learns all classes at once: the same everywhere."""
    mean = _percent(group)[0]
    return Line(name, [mean[0]] * len(seen), bound=True, at=seen)


def _percent(group: Group) -> tuple[list[float], list[float], list[float]]:
    """Mean, smallest and largest value after each step, in percent."""
    columns = list(zip(*(headline(run).per_step for run in group.values()), strict=True))
    mean, low, high = ([100 * of(column) for column in columns] for of in (statistics.fmean, min, max))
    return mean, low, high


def _seen(run: Run) -> tuple[float, ...]:
    return tuple(accumulate(run["settings"]["classes_per_step"]))


def _numbers(steps: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, len(steps) + 1))


def _activities(steps: Sequence[dict[str, Any]]) -> list[str]:
    """What takes time and memory, also where it takes none: each has its colour in all charts."""
    return list(dict.fromkeys(name for step in steps for name in step))
