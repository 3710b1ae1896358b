"""What a table across models will cost, from one timed pass through each network."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from cl3d.data import Dataset
from cl3d.distill.cost import seconds_per_pass
from cl3d.distill.networks import BuildModel, Networks
from cl3d.report.cross import Column, Cross, Row
from cl3d.report.text_tables import markdown
from cl3d.report.units import duration

BATCH = 16
"""Most clouds of a timed batch."""


def forecast(cross: Cross, dataset: Dataset, device: torch.device) -> str:
    """What is left to run, and about how long that takes here in one process after another, as Markdown.

    Each network is timed with a batch of real clouds; right within a factor of two or so.
    """
    start = time.process_time()  # each process imports the same and reads the same data
    rows, total = [], 0.0
    for row in cross.rows:
        jobs = [job for job in row.making.values() if not job.done]
        if jobs and row.build is not None:
            passes = row.passes * _timed(row.build, BATCH, dataset, device)[0] if row.passes else 0.0
            each = start + row.seconds_to_start() + passes
            rows.append(["distill", row.name, str(len(jobs)), duration(each)])
            total += len(jobs) * each
    for column in cross.columns:
        left = [row for row in cross.rows for seed in cross.seeds if not cross.cell(row, column, seed).done]
        if left:
            passes = sum(_cells(column, left, dataset, device)) * cross.runs
            rows.append(["evaluate", column.name, str(len(left)), duration(start + passes / len(left))])
            total += len(left) * start + passes
    if not rows:
        return "nothing is left to run"
    table = markdown(["script", "what", "left", "time of each"], rows)
    return f"{table}\nIn all about {duration(total)}, one after another."


def _cells(column: Column, rows: Sequence[Row], dataset: Dataset, device: torch.device) -> list[float]:
    """Seconds of one network on each row's set."""
    training = column.training
    batch = min(training.batch_size, min(row.clouds for row in rows))
    train, test = _timed(column.build, batch, dataset, device)
    finest = dataset.train.num_points
    whole = [row.clouds * (finest if row.points is None else row.points) / finest for row in rows]
    return [training.epochs * clouds * train + len(dataset.test) * test for clouds in whole]


def _timed(build: BuildModel, batch: int, dataset: Dataset, device: torch.device) -> tuple[float, float]:
    networks = Networks(build, dataset.num_classes, device, 0)
    return seconds_per_pass(networks, dataset.train[: max(2, min(batch, BATCH))])
