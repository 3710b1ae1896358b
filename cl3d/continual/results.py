"""What a run gives: one value, and its files, which are whole after every step."""

from __future__ import annotations

import csv
import io
import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cl3d import __version__
from cl3d.atomic import write_text
from cl3d.continual.metrics import (
    backward_transfer,
    forgetting_first_minus_last,
    forgetting_max_minus_last,
    forward_transfer,
)
from cl3d.html.markup import table

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class StepResult:
    """One finished step.

    Attributes:
        step: from 0.
        classes: the step's classes, as labels of the data set.
        accuracy: on the test clouds of all classes seen so far, in [0, 1].
        accuracy_in_task: the same where each cloud's step is told, and only its classes stand to choice.
        ahead: on the test clouds of the next step, of whose classes nothing is known yet, these alone
            standing to choice; None after the last step.
        untrained: the same of an untrained network, on this step's test clouds.
        row: the step's row of the accuracy matrix; None for steps that have not come.
        class_accuracy: accuracy on each class seen so far, by label.
        memory_bytes, memory_clouds: what the memory holds after the step.
        memory_files: the names of the files that are the memory after the step.
        condensing: the condenser's own account (loss, how far points moved), or nothing.
        seconds: wall-clock seconds of ``condense``, ``train`` and ``test``.
        peak_bytes: highest memory of the same; see :class:`PeakMemory`.
    """

    step: int
    classes: tuple[int, ...]
    accuracy: float
    accuracy_in_task: float
    ahead: float | None
    untrained: float
    row: tuple[float | None, ...]
    class_accuracy: dict[int, float]
    memory_bytes: int
    memory_clouds: int
    memory_files: tuple[str, ...]
    condensing: dict[str, Any]
    seconds: dict[str, float]
    peak_bytes: dict[str, int]


@dataclass
class Results:
    """The results of a run, finished or not.

    Attributes:
        settings: what was run: data set, its fingerprint, buffer, strategy, seed, class order, ...
        status: ``running``, ``finished``, ``interrupted`` or ``failed``.
    """

    settings: dict[str, Any]
    steps: list[StepResult] = field(default_factory=list)
    status: str = "running"

    def to_dict(self) -> dict[str, Any]:
        """The content of ``results.json``; ``docs/results-schema.md`` describes each key.

        Times and peak memory are apart, in :meth:`seconds` and :meth:`peak_memory`: two runs with the same
        seed are equal.
        """
        matrix = [step.row for step in self.steps]
        ahead, untrained = ([getattr(step, name) for step in self.steps] for name in ("ahead", "untrained"))
        accuracy = [step.accuracy for step in self.steps]
        return {
            "schema_version": SCHEMA_VERSION,
            "cl3d_version": __version__,
            "status": self.status,
            "settings": self.settings,
            "final_accuracy": accuracy[-1] if accuracy else None,
            "average_accuracy": statistics.fmean(accuracy) if accuracy else None,
            "accuracy_per_step": accuracy,
            "task_incremental_accuracy_per_step": [step.accuracy_in_task for step in self.steps],
            "accuracy_matrix": matrix,
            "class_accuracy_per_step": [step.class_accuracy for step in self.steps],
            "forgetting": {
                "max_minus_last": forgetting_max_minus_last(matrix),
                "first_minus_last": forgetting_first_minus_last(matrix),
            },
            "backward_transfer": backward_transfer(matrix),
            "forward_transfer": forward_transfer(ahead, untrained),
            "next_step_accuracy_per_step": ahead,
            "untrained_accuracy_per_step": untrained,
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
        """Writes ``results.json``, ``seconds.json``, ``peak_memory.json`` and ``accuracy_matrix.csv``.

        Each is whole or not there.

        Raises:
            InputError: if the folder cannot be written to.
        """
        write_text(folder / "seconds.json", _json(self.seconds()))
        write_text(folder / "peak_memory.json", _json(self.peak_memory()))
        write_text(folder / "results.json", _json(self.to_dict()))
        write_text(folder / "accuracy_matrix.csv", self.matrix_csv())

    def _repr_html_(self) -> str:
        """The accuracy after each step, in a notebook."""
        rows = [
            (s.step + 1, len(s.class_accuracy), f"{100 * s.accuracy:.1f}", s.memory_bytes) for s in self.steps
        ]
        memory, data = self.settings["buffer"] or self.settings["strategy"], self.settings["dataset"]
        head = ["step", "classes seen", "accuracy %", "memory bytes"]
        return str(table(head, rows, f"{memory} on {data}: {self.status}"))

    def matrix_csv(self) -> str:
        """The accuracy matrix: a line per step trained, a column per step tested."""
        steps = len(self.settings["classes_per_step"])
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["after_step", *(f"classes_of_step_{j + 1}" for j in range(steps)), "all_seen"])
        for step in self.steps:
            cells = ["" if value is None else f"{value:.6f}" for value in step.row]
            writer.writerow([step.step + 1, *cells, f"{step.accuracy:.6f}"])
        return text.getvalue()


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
