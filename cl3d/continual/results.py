"""What a run gives: one value, and its files, which are whole after every step."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cl3d import __version__
from cl3d.atomic import write_text
from cl3d.continual.part_steps import PartStepResult
from cl3d.continual.steps import Step, StepResult
from cl3d.html.markup import table

SCHEMA_VERSION = 3

KINDS: dict[str, type[Step]] = {"classification": StepResult, "part_segmentation": PartStepResult}
"""What a step gives, by the task of a run's networks; settings that name none are of classification."""


@dataclass
class Results:
    """The results of a run, finished or not.

    Attributes:
        settings: what was run: data set, its fingerprint, buffer, strategy, seed, class order, ...
        status: ``running``, ``finished``, ``interrupted`` or ``failed``.
    """

    settings: dict[str, Any]
    steps: list[Step] = field(default_factory=list)
    status: str = "running"

    @property
    def kind(self) -> type[Step]:
        """What its steps are."""
        return kind_of(self.settings)

    def to_dict(self) -> dict[str, Any]:
        """The content of ``results.json``; ``docs/results-schema.md`` describes each key.

        Times and peak memory are apart, in :meth:`seconds` and :meth:`peak_memory`: two runs with the same
        seed are equal.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "cl3d_version": __version__,
            "status": self.status,
            "settings": self.settings,
            **self.kind.summary(self.steps),
            "memory_bytes": self.steps[-1].memory_bytes if self.steps else 0,
            "memory_bytes_per_step": [step.memory_bytes for step in self.steps],
            "memory_clouds_per_step": [step.memory_clouds for step in self.steps],
            "memory_files_per_step": [step.memory_files for step in self.steps],
            "condensing_per_step": [step.condensing for step in self.steps],
        }

    def seconds(self) -> dict[str, Any]:
        """The content of ``seconds.json``."""
        return {
            "total": sum(sum(step.seconds.values()) for step in self.steps),
            "per_step": [step.seconds for step in self.steps],
        }

    def peak_memory(self) -> dict[str, Any]:
        """The content of ``peak_memory.json``, in bytes."""
        peaks = [step.peak_bytes for step in self.steps]
        return {"highest": max((max(peak.values()) for peak in peaks), default=0), "per_step": peaks}

    def write(self, folder: Path) -> None:
        """Writes ``results.json``, ``seconds.json``, ``peak_memory.json`` and :attr:`matrix_file`.

        Each is whole or not there.

        Raises:
            InputError: if the folder cannot be written to.
        """
        write_text(folder / "seconds.json", _json(self.seconds()))
        write_text(folder / "peak_memory.json", _json(self.peak_memory()))
        write_text(folder / "results.json", _json(self.to_dict()))
        write_text(folder / self.matrix_file, self.matrix_csv())

    def _repr_html_(self) -> str:
        """What is looked at first, after each step, in a notebook."""
        rows = [(s.step + 1, len(s.seen), f"{100 * s.headline:.1f}", s.memory_bytes) for s in self.steps]
        memory, data = self.settings["buffer"] or self.settings["strategy"], self.settings["dataset"]
        head = ["step", "classes seen", f"{self.kind.figure} %", "memory bytes"]
        return str(table(head, rows, f"{memory} on {data}: {self.status}"))

    @property
    def matrix_file(self) -> str:
        """The name of the file that :meth:`matrix_csv` is written to, which says what it is of."""
        return f"{self.kind.key}_matrix.csv"

    def matrix_csv(self) -> str:
        """The matrix of what is looked at first: a line per step trained, a column per step tested."""
        steps = len(self.settings["classes_per_step"])
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["after_step", *(f"classes_of_step_{j + 1}" for j in range(steps)), "all_seen"])
        for step in self.steps:
            cells = ["" if value is None else f"{value:.6f}" for value in step.headline_row]
            writer.writerow([step.step + 1, *cells, f"{step.headline:.6f}"])
        return text.getvalue()


def kind_of(settings: Mapping[str, Any]) -> type[Step]:
    """What the steps of a run with these settings are."""
    return KINDS[settings.get("task", "classification")]


def finished(folder: Path) -> bool:
    """Whether the folder holds a run that is finished."""
    try:
        status = json.loads((folder / "results.json").read_text())["status"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(status == "finished")


def _json(content: dict[str, Any]) -> str:
    """A line for each key."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
