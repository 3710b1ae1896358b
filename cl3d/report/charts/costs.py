"""The charts of what continual runs take: bytes, seconds and peak memory of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cl3d.report.charts.values import BarChart, Line, LineChart, averaged
from cl3d.report.groups import Run, group_by_seed, titled

KIB, MIB = 1 << 10, 1 << 20


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


def costs_side_by_side(runs: Sequence[Run]) -> list[LineChart]:
    """Bytes, seconds and peak memory of each step, a curve for each memory and bound, as far as known.

    Runs are averaged, and have their colours, as in :func:`cl3d.report.charts.of_runs.curves_over_classes`.

    Raises:
        InputError: if the runs cannot stand side by side.
    """
    groups = [(name, list(group.values())) for name, group in titled(group_by_seed(runs))]
    charts = []
    for title, unit, of in (
        ("Bytes of the memory after each step", "KiB", _sizes),
        ("Seconds per step", "s", _seconds),
        ("Peak memory per step", "MiB", _peaks),
    ):
        lines = tuple(_line(name, [of(run) for run in group]) for name, group in groups)
        chart = LineChart(title, "step", unit, (), lines, "")
        last = ", ".join(f"{line.name} {line.y[-1]:,.4g} {unit}" for _, line in chart.shown())
        if last:
            charts.append(replace(chart, about=f"In the last step: {last}."))
    return charts


def _line(name: str, curves: Sequence[Sequence[float]]) -> Line:
    """Several runs as one curve; none where one of them does not have it."""
    if not all(curves):
        return Line(name, ())
    mean, low, high = averaged(curves)
    return Line(name, mean, low, high, at=tuple(range(1, len(mean) + 1)))


def _sizes(run: Run) -> list[float]:
    sizes = run.get("memory_bytes_per_step") or ()
    return [size / KIB for size in sizes] if any(sizes) else []


def _seconds(run: Run) -> list[float]:
    return [sum(step.values()) for step in run["seconds"].get("per_step") or ()]


def _peaks(run: Run) -> list[float]:
    steps = (run.get("peak_memory") or {}).get("per_step") or ()
    return [max(step.values()) / MIB for step in steps]


def _numbers(steps: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, len(steps) + 1))


def _activities(steps: Sequence[dict[str, Any]]) -> list[str]:
    """What takes time and memory, also where it takes none: each has its colour in all charts."""
    return list(dict.fromkeys(name for step in steps for name in step))
