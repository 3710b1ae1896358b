"""Accuracy against bytes, of all comparisons at hand, as a picture."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cl3d.errors import InputError
from cl3d.report.headline import measured
from cl3d.report.picture import check_ending, write_picture
from cl3d.report.style import curve_style

Points = dict[str, dict[int, list[float]]]
"""Accuracies of the seeds, by condenser and bytes."""

FEW_CURVES = 8
"""The legend of more than these stands below the picture, not among the points."""


def read_comparisons(folders: Sequence[Path]) -> tuple[Points, str]:
    """The accuracies in the ``comparison.csv`` of each folder, or the instance mIoUs; and which of the two.

    Raises:
        InputError: if one is missing or damaged, a condenser stands twice at the same bytes, or some are of
            part segmentation and others are not.
    """
    points: Points = defaultdict(dict)
    figures = set[str]()
    for folder in folders:
        path = folder / "comparison.csv"
        try:
            with path.open(encoding="utf-8", newline="") as file:
                table = list(csv.DictReader(file))
            name, key = measured(table[0])
            figures.add(name)
            rows = [(row["condenser"], int(row["nbytes"]), float(row[key])) for row in table]
        except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read ({error!r}): give a folder that compare.py wrote"
            ) from error
        if len(figures) > 1:
            raise InputError(
                f"some comparisons are of {' and others of '.join(sorted(figures))}: give one kind"
            )
        here: dict[tuple[str, int], list[float]] = defaultdict(list)
        for name, nbytes, accuracy in rows:
            here[name, nbytes].append(accuracy)
        for (name, nbytes), accuracies in here.items():
            if nbytes in points[name]:
                raise InputError(f"{name} stands twice at {nbytes:,} bytes: leave out {folder} or the other")
            points[name][nbytes] = accuracies
    return points, figures.pop() if figures else "accuracy"


def pareto_front(points: Points) -> list[tuple[str, int]]:
    """Condensers and bytes that no other reaches with as few bytes and as much accuracy, by bytes."""
    means = [(n, statistics.fmean(a), name) for name, by in points.items() for n, a in by.items()]
    front, best = [], float("-inf")
    for nbytes, mean, name in sorted(means, key=lambda point: (point[0], -point[1])):
        if mean > best:
            best = mean
            front.append((name, nbytes))
    return front


def save_pareto(path: Path, points: Points, figure_name: str = "accuracy") -> None:
    """Draws mean and range over seeds against bytes, one line per condenser, and the front in grey.

    Args:
        figure_name: what the values are.

    Raises:
        InputError: if there is nothing to draw, or the file cannot be written.
    """
    check_ending(path)
    if not points:
        raise InputError("there is no comparison to draw: give folders that compare.py wrote")
    below = len(points) > FEW_CURVES
    height = 4.2 + (0.2 * -(-len(points) // 2) if below else 0)
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.add_subplot()
    front = [(nbytes, 100 * statistics.fmean(points[name][nbytes])) for name, nbytes in pareto_front(points)]
    axes.step(*zip(*front, strict=True), where="post", color="0.8", linewidth=6, solid_capstyle="round")
    for index, (name, by_bytes) in enumerate(points.items()):
        sizes = sorted(by_bytes)
        means = [100 * statistics.fmean(by_bytes[n]) for n in sizes]
        low = [m - 100 * min(by_bytes[n]) for m, n in zip(means, sizes, strict=True)]
        high = [100 * max(by_bytes[n]) - m for m, n in zip(means, sizes, strict=True)]
        axes.errorbar(sizes, means, (low, high), capsize=2, label=name, **curve_style(index))
    axes.set_xscale("log")
    axes.set_xlabel("bytes of the set")
    axes.set_ylabel(f"test {figure_name}, last epoch (%)")
    axes.grid(alpha=0.3)
    if below:
        figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=2)
    else:
        axes.legend(fontsize=8, frameon=False)
    write_picture(path, figure, 130)
