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
COLUMNS = (
    "condenser",
    "seeds",
    "accuracy %",
    f"margin over {BASELINE} ({100 * CONFIDENCE:.0f} % interval)",
    "stored",
    "decoded",
    "bytes",
    "moved",
    "seconds",
    "peak MiB",
)


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
        return {"condenser": self.condenser, "seed": self.seed, "accuracy": value["mean"], **cost}


def pairs(condensers: object, seeds: object, folder: Path) -> list[Pair]:
    """All condensers with the first seed, then with the next.

    Raises:
        InputError: if these are no lists, there are none, or one stands twice.
    """
    listed("condensers", condensers, str, "[random,dm]")
    assert isinstance(condensers, list)
    every = [(seed, condenser) for seed in seeds_of(seeds) for condenser in condensers]
    return [Pair(c, seed, folder / slug(c) / f"seed_{seed}") for seed, c in every]


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row for each condenser, in the order of :data:`COLUMNS`; seeds are averaged, margins paired."""
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


def _row(name: str, mine: dict[int, dict[str, Any]], baseline: dict[int, dict[str, Any]]) -> list[str]:
    paired = [100 * (mine[s]["accuracy"] - baseline[s]["accuracy"]) for s in mine if s in baseline]
    margin = "–"
    if paired and mine is not baseline:
        mean, half = interval(paired)
        margin = f"{mean:+.1f}" + (f" ({mean - half:+.1f} to {mean + half:+.1f})" if half == half else "")
    first = next(iter(mine.values()))
    moved, seconds = (
        [result[key] for result in mine.values() if result[key] is not None]
        for key in ("moved_mean", "seconds")
    )
    return [
        name,
        str(len(mine)),
        percent([result["accuracy"] for result in mine.values()]),
        margin,
        f"{first['stored_clouds']:,} x {first['num_points']:,}",
        f"{first['decoded_clouds']:,}",
        f"{first['nbytes']:,}",
        f"{statistics.fmean(moved):.3f}" if moved else "–",
        f"{statistics.fmean(seconds):.0f}" if seconds else "–",
        f"{max(result['peak_bytes'] for result in mine.values()) / (1 << 20):.0f}",
    ]
