"""Condensers side by side: at the same bytes, with paired seeds, each in a process of its own."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import stats

from cl3d.report.jobs import Job, distilling, evaluating, listed, seeds_of, slug
from cl3d.report.text_tables import percent

BASELINE = "random"
CONFIDENCE = 0.95
FIGURES = {"instance_miou": "instance mIoU %", "class_miou": "class mIoU %", "accuracy": "accuracy %"}
"""What results may have, and its column; margins are of the first that there is."""

COSTS = ("stored", "decoded", "bytes", "moved", "seconds", "peak MiB")


@dataclass(frozen=True)
class Pair:
    """One condenser with one seed: a set, and its evaluation.

    Attributes:
        condenser: a choice of ``condenser=``, followed by settings of ``distill.py``.
        folder: holds one folder for the set and one for its evaluation.
    """

    condenser: str
    seed: int
    folder: Path

    def jobs(self, making: Sequence[str], testing: Sequence[str]) -> list[Job]:
        """Distilling and evaluating.

        Args:
            making: settings of ``distill.py`` that all pairs have.
            testing: those of ``evaluate.py``.
        """
        title, seed = f"{self.condenser}, seed {self.seed}", f"seed={self.seed}"
        made = distilling(title, self.condenser, [*making, seed], self.folder / "set")
        tested = evaluating(title, made.product, [*testing, seed], self.folder / "evaluation")
        return [made, tested]

    def result(self) -> dict[str, Any]:
        """Accuracy, and what the set cost."""
        cost = json.loads((self.folder / "set" / "cost.json").read_text())
        value = json.loads((self.folder / "evaluation" / "evaluation.json").read_text())
        figures = {"accuracy": value["mean"]}
        if "instance_miou" in value:
            names = {"instance_miou": "instance_miou", "class_miou": "class_miou", "accuracy": "accuracies"}
            figures = {name: statistics.fmean(value[key]) for name, key in names.items()}
        return {"condenser": self.condenser, "seed": self.seed, **figures, **cost}


def pairs(condensers: object, seeds: object, folder: Path) -> list[Pair]:
    """All condensers with the first seed, then with the next.

    Raises:
        InputError: if these are no lists, there are none, or one stands twice.
    """
    listed("condensers", condensers, str, "[random,dm]")
    assert isinstance(condensers, list)
    every = [(seed, condenser) for seed in seeds_of(seeds) for condenser in condensers]
    return [Pair(c, seed, folder / slug(c) / f"seed_{seed}") for seed, c in every]


def columns(results: Sequence[dict[str, Any]]) -> list[str]:
    """The heads of a table's columns."""
    margin = f"margin over {BASELINE} ({100 * CONFIDENCE:.0f} % interval)"
    return ["condenser", "seeds", *(FIGURES[name] for name in _figures(results[0])), margin, *COSTS]


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row for each condenser, in the order of :func:`columns`; seeds are averaged, margins paired."""
    names = list(dict.fromkeys(result["condenser"] for result in results))
    by_name = {name: {r["seed"]: r for r in results if r["condenser"] == name} for name in names}
    return [_row(name, by_name[name], by_name.get(BASELINE, {})) for name in names]


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Mean of paired differences, and half the width of its confidence interval (Student's t)."""
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return mean, float("nan")
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return mean, float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(differences) - 1)) * error


def _figures(result: dict[str, Any]) -> list[str]:
    return [name for name in FIGURES if name in result]


def _row(name: str, mine: dict[int, dict[str, Any]], baseline: dict[int, dict[str, Any]]) -> list[str]:
    first = next(iter(mine.values()))
    figures = _figures(first)
    paired = [100 * (mine[s][figures[0]] - baseline[s][figures[0]]) for s in mine if s in baseline]
    margin = "–"
    if paired and mine is not baseline:
        mean, half = interval(paired)
        margin = f"{mean:+.1f}" + (f" ({mean - half:+.1f} to {mean + half:+.1f})" if half == half else "")
    moved, seconds = (
        [result[key] for result in mine.values() if result[key] is not None]
        for key in ("moved_mean", "seconds")
    )
    return [
        name,
        str(len(mine)),
        *(percent([result[figure] for result in mine.values()]) for figure in figures),
        margin,
        f"{first['stored_clouds']:,} x {first['num_points']:,}",
        f"{first['decoded_clouds']:,}",
        f"{first['nbytes']:,}",
        f"{statistics.fmean(moved):.3f}" if moved else "–",
        f"{statistics.fmean(seconds):.0f}" if seconds else "–",
        f"{max(result['peak_bytes'] for result in mine.values()) / (1 << 20):.0f}",
    ]
