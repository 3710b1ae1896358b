"""The charts of continual runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from cl3d.report.charts.costs import memory_by_step, peak_by_step, seconds_by_step
from cl3d.report.charts.values import Chart, HeatMap, Line, LineChart, averaged
from cl3d.report.groups import PROTOCOLS, Group, Run, group_by_seed, label, steps_of, titled
from cl3d.report.headline import figure_name, headline


def curves_over_classes(runs: Sequence[Run], main: Run | None = None) -> LineChart:
    """What runs are judged by, on the classes seen, against their number: a curve for each memory and bound.

    Runs that differ in their seeds alone are averaged, the band being their smallest and largest. What learns
    all classes at once is a level across.

    Args:
        main: of the runs, the one to look at; a curve of its own.

    Raises:
        InputError: if the runs cannot stand side by side.
    """
    most = max(map(steps_of, runs))
    lines = [] if main is None else [_curve(label(main), {(None, 0): main}, main=True)]
    seen = max((_seen(run) for run in runs), key=len)
    for name, group in titled(group_by_seed([run for run in runs if run is not main])):
        at_once = steps_of(next(iter(group.values()))) == 1 < most
        lines.append(_level(name, group, seen) if at_once else _curve(name, group))
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
    return averaged([[100 * value for value in headline(run).per_step] for run in group.values()])


def _seen(run: Run) -> tuple[float, ...]:
    return tuple(accumulate(run["settings"]["classes_per_step"]))
