"""Condensers side by side: at the same bytes, with paired seeds, each in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import stats

from cl3d.errors import InputError

BASELINE = "random"
CONFIDENCE = 0.95
SECONDS_TO_END = 8.0
"""What an interrupted script gets to write its checkpoint."""

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
class Job:
    """One condenser with one seed.

    Attributes:
        condenser: a choice of ``condenser=``, followed by settings of ``distill.py``.
        folder: of this job; holds one folder for the set and one for its evaluation.
    """

    condenser: str
    seed: int
    folder: Path

    @property
    def made(self) -> Path:
        """The set."""
        return self.folder / "set" / "synthetic.safetensors"

    @property
    def tested(self) -> Path:
        """The evaluation."""
        return self.folder / "evaluation" / "evaluation.json"

    def commands(self, making: Sequence[str], testing: Sequence[str]) -> list[list[str]]:
        """What is left to run: ``distill`` and ``evaluate`` with their settings, one of them, or nothing.

        Args:
            making: settings of ``distill.py`` that all jobs have.
            testing: those of ``evaluate.py``.
        """
        name, *changes = self.condenser.split()
        seed = f"seed={self.seed}"
        left = []
        if not self.made.exists():
            folder = f"folder={_quoted(self.made.parent)}"
            left.append(["distill", f"condenser={name}", *making, *changes, seed, folder])
        if not self.tested.exists():
            left.append(
                [
                    "evaluate",
                    *testing,
                    seed,
                    f"set={_quoted(self.made)}",
                    f"folder={_quoted(self.tested.parent)}",
                ]
            )
        return left

    def result(self) -> dict[str, Any]:
        """Accuracy, and what the set cost."""
        cost = json.loads((self.made.parent / "cost.json").read_text())
        value = json.loads(self.tested.read_text())
        return {"condenser": self.condenser, "seed": self.seed, "accuracy": value["mean"], **cost}


def jobs(condensers: Sequence[str], seeds: Sequence[int], folder: Path) -> list[Job]:
    """All condensers with the first seed, then with the next.

    Raises:
        InputError: if these are no lists, there are none, or one stands twice.
    """
    for what, values, kind in (("condensers", condensers, str), ("seeds", seeds, int)):
        if not isinstance(values, list) or not values or any(not isinstance(v, kind) for v in values):
            raise InputError(f"{what}={values}: give a list, e.g. [random,dm] or [0,1,2]")
        if len(set(values)) < len(values) or "" in values:
            raise InputError(f"{what}={values}: give each once, and none empty")
    return [Job(c, seed, folder / _slug(c) / f"seed_{seed}") for seed in seeds for c in condensers]


def run_script(scripts: Path, arguments: Sequence[str]) -> None:
    """Runs one of this library's scripts and waits for it; it tells its own progress.

    Raises:
        InputError: if it fails; it has said why.
        KeyboardInterrupt: if it was interrupted.
    """
    name, *settings = arguments
    # in a session of its own: it hears an interrupt once and from here, whoever sent it
    process = subprocess.Popen(
        [sys.executable, str(scripts / f"{name}.py"), *settings], start_new_session=True
    )
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()  # heard as Ctrl-C, also where that is ignored, as in a background job
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    if code == 130:
        raise KeyboardInterrupt
    if code != 0:
        raise InputError(f"{name}.py stopped with {code} (see above): mend that, then run the same again")


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row for each condenser, in the order of :data:`COLUMNS`; seeds are averaged, margins paired."""
    names = list(dict.fromkeys(result["condenser"] for result in results))
    by_name = {name: {r["seed"]: r for r in results if r["condenser"] == name} for name in names}
    return [_row(name, by_name[name], by_name.get(BASELINE, {})) for name in names]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The table for a document."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def as_csv(results: Sequence[dict[str, Any]]) -> str:
    """One line for each condenser and seed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(results[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(results)
    return text.getvalue()


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Mean of paired differences, and half the width of its confidence interval (Student's t)."""
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return mean, float("nan")
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return mean, float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(differences) - 1)) * error


def _row(name: str, mine: dict[int, dict[str, Any]], baseline: dict[int, dict[str, Any]]) -> list[str]:
    accuracies = [100 * result["accuracy"] for result in mine.values()]
    spread = f" ± {statistics.stdev(accuracies):.1f}" if len(accuracies) > 1 else ""
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
        f"{statistics.fmean(accuracies):.1f}{spread}",
        margin,
        f"{first['stored_clouds']:,} x {first['num_points']:,}",
        f"{first['decoded_clouds']:,}",
        f"{first['nbytes']:,}",
        f"{statistics.fmean(moved):.3f}" if moved else "–",
        f"{statistics.fmean(seconds):.0f}" if seconds else "–",
        f"{max(result['peak_bytes'] for result in mine.values()) / (1 << 20):.0f}",
    ]


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "_", text)


def _quoted(path: Path) -> str:
    """A path as Hydra reads it, whatever characters it has."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
