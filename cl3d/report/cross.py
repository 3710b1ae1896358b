"""Sets across models: what each set is worth to each network, as the papers' cross-architecture tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cl3d.distill import Training, load
from cl3d.distill.networks import BuildModel
from cl3d.report.headline import measured
from cl3d.report.jobs import Job, evaluating, slug


@dataclass(frozen=True)
class Column:
    """A model to evaluate with.

    Attributes:
        name: as it was given: a choice of ``model=``, followed by settings of ``evaluate.py``.
        settings: the same as overrides.
        config: of the model.
        build, training: what they make.
    """

    name: str
    settings: tuple[str, ...]
    config: Mapping[str, Any]
    build: BuildModel
    training: Training


@dataclass(frozen=True)
class Row:
    """A set, or one for each seed that a condenser made.

    Attributes:
        name: what to call it.
        folder: name of the folder of its cells.
        distilled_with: the model that it was distilled with; None where none was looked through.
        own: names of the columns that are that model.
        clouds: that networks are trained on.
        sets: for each seed a file, or ``data``.
        making: for each seed what makes the file; none where it was given.
        points: of each of them; None: as the real ones.
        build: the network that making sends clouds through, and ``passes`` of them.
        seconds_to_start: times what making takes besides; see :func:`cl3d.distill.cost.seconds_to_start`.
    """

    name: str
    folder: str
    distilled_with: str | None
    own: frozenset[str]
    clouds: int
    sets: Mapping[int, Path | str]
    making: Mapping[int, Job] = field(default_factory=dict)
    build: BuildModel | None = None
    passes: float = 0.0
    points: int | None = None
    seconds_to_start: Callable[[], float] = float

    def nbytes(self) -> int | None:
        """Of its first set that is there; None for real clouds, and where none is there yet."""
        files = [path for path in self.sets.values() if isinstance(path, Path) and path.exists()]
        return load(files[0]).nbytes if files else None


@dataclass(frozen=True)
class Cross:
    """All rows with all columns and seeds.

    Attributes:
        folder: of all; holds a folder for each cell.
        testing: settings of ``evaluate.py`` that all cells have.
        runs: networks in each cell.
    """

    rows: Sequence[Row]
    columns: Sequence[Column]
    seeds: Sequence[int]
    folder: Path
    testing: Sequence[str]
    runs: int

    def cell(self, row: Row, column: Column, seed: int) -> Job:
        """The evaluation of one set with one model."""
        title = f"{row.name} with {column.name}, seed {seed}"
        settings = [*self.testing, *column.settings, f"seed={seed}"]
        folder = self.folder / "cells" / row.folder / slug(column.name) / f"seed_{seed}"
        return evaluating(title, row.sets[seed], settings, folder)

    def jobs(self) -> list[Job]:
        """All cells of the first seed, then those of the next; each set before its cells."""
        jobs = []
        for seed in self.seeds:
            for row in self.rows:
                jobs += [row.making[seed]] if seed in row.making else []
                jobs += [self.cell(row, column, seed) for column in self.columns]
        return jobs

    def results(self) -> list[dict[str, Any]]:
        """The cells that are finished, a line of a table each."""
        found = []
        for row in self.rows:
            kept = {"set": row.name, "distilled_with": row.distilled_with, "nbytes": row.nbytes()}
            for column in self.columns:
                for seed in self.seeds:
                    cell = self.cell(row, column, seed)
                    if cell.done:
                        found.append(kept | _result(row, column, seed, cell.product))
        return found


def _result(row: Row, column: Column, seed: int, path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text())
    return {
        "model": column.name,
        "own": column.name in row.own,
        "seed": seed,
        "networks": len(value["accuracies"]),
        measured(value)[1]: value["mean"],
        **json.loads((path.parent / "cost.json").read_text()),
    }
