"""Memories side by side in continual runs: paired by class order and seed, each run in its own process."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cl3d.atomic import write_text
from cl3d.continual.estimate import expected_seconds, timed_pass
from cl3d.errors import InputError
from cl3d.locks import in_use
from cl3d.report.cells import CellJob, Kind
from cl3d.report.curves import read_results, save_curves
from cl3d.report.groups import Run
from cl3d.report.jobs import JobsFailed, run_jobs, slug
from cl3d.report.records import of_rows, of_runs
from cl3d.report.summary import summarize
from cl3d.report.tables import as_latex, as_markdown
from cl3d.report.terminal import Terminal
from cl3d.report.text_tables import as_csv, markdown
from cl3d.report.units import duration

NOTE = """\
Mean ± sample standard deviation over all runs. Differences are paired: the same class order, initial weights
and draws. Intervals are bootstrap percentiles, for which class orders and seeds are drawn anew, each with
replacement; with fewer than five of both they are too narrow. `joint` learns all classes at once, in one
step: one run for each seed, the partner of its seed's runs of every class order. Its final figure stands
beside the others'; what needs steps (average, task-incremental, forgetting, forward) it does not have.
"""


@dataclass(frozen=True)
class Comparison:
    """The runs of some tables.

    Attributes:
        tables: the rows of each, by its title.
        reference: the row that the others of its table are compared with.
    """

    tables: dict[str, tuple[Kind, ...]]
    reference: str

    def __post_init__(self) -> None:
        labels = [kind.label for kinds in self.tables.values() for kind in kinds]
        if self.reference not in labels:
            there = ", ".join(dict.fromkeys(labels))
            raise InputError(f"reference={self.reference} is not compared: give one of {there}")

    @property
    def jobs(self) -> list[CellJob]:
        """Every run once, those of one pair together."""
        columns = [kind.jobs for kinds in self.tables.values() for kind in kinds]
        longest = max(map(len, columns))
        ordered = [column[place] for place in range(longest) for column in columns if place < len(column)]
        return list({job.product: job for job in ordered}.values())


def show_plan(terminal: Terminal, comparison: Comparison, workers: int) -> None:
    """What there is to run, and about how long it takes."""
    start = time.process_time()  # each process imports the same and reads the same data
    first = next(iter(comparison.tables.values()))[0].run
    each = timed_pass(first)
    rows, left = [], dict[Path, float]()
    for title, kinds in comparison.tables.items():
        for kind in kinds:
            waiting = [job for job in kind.jobs if not job.done]
            whole, learning = _measured(kind) or (
                expected_seconds(kind.run, each, condensing=condensing) for condensing in (True, False)
            )
            times = {job.product: start + (learning if job.needs else whole) for job in waiting}
            left |= times
            counts = [str(len(kind.jobs)), str(len(kind.jobs) - len(waiting))]
            told = statistics.fmean(times.values()) if times else start + whole
            rows.append([title, kind.label, *counts, duration(told)])
    terminal.say(markdown(["table", "memory", "runs", "finished", "time of each"], rows))
    together = duration(sum(left.values()) / workers)
    terminal.say(
        f"left: {len(left)} runs, about {together}, {workers} at once" if left else "all runs are there"
    )


def _measured(kind: Kind) -> tuple[float, float] | None:
    """Seconds of a row's runs that are finished, and those without condensing; None if there are none."""
    times = [json.loads(job.product.with_name("seconds.json").read_text()) for job in kind.jobs if job.done]
    if not times:
        return None
    whole = statistics.fmean(told["total"] for told in times)
    condensing = statistics.fmean(sum(step["condense"] for step in told["per_step"]) for told in times)
    return whole, whole - condensing


def run_all(jobs: Sequence[CellJob], scripts: Path, workers: int, terminal: Terminal) -> None:
    """Runs what is not finished; waits for what another process runs.

    Raises:
        InputError: if runs failed, when all others are done.
        KeyboardInterrupt: if this or a run was interrupted; what is finished of each is kept.
    """
    told = False
    while left := [job for job in jobs if not job.done]:
        idle = {job.product: job for job in left if not in_use(job.product.parent)}
        free = [job for job in idle.values() if job.ready or job.needs in idle]
        if not free:
            if not told:
                elsewhere = next((job for job in left if job.product not in idle), left[0])
                terminal.say(f"another process runs {elsewhere.title}: waiting for it")
            told = True
            time.sleep(1)
            continue
        try:
            run_jobs(free, scripts, workers, terminal.say)
        except JobsFailed as error:
            # one that another process has taken meanwhile has not failed, nor what waits for it
            taken = [job.done or in_use(job.product.parent) for job in error.jobs]
            if not taken or not all(taken):
                raise


def write_tables(comparison: Comparison, folder: Path) -> str:
    """Writes tables (Markdown, CSV, LaTeX), curves and all runs; returns the tables as Markdown.

    Raises:
        InputError: if they cannot be written.
    """
    texts, everything = [], dict[tuple[object, ...], Run]()
    for title, kinds in comparison.tables.items():
        runs = [
            read_results(job.product.parent) | {"label": kind.label} for kind in kinds for job in kind.jobs
        ]
        everything |= {(run["label"], run["folder"]): run for run in runs}
        summary = summarize(runs, comparison.reference)
        texts.append(f"## {title}\n\n{as_markdown(summary)}")
        name = slug(title)
        write_text(folder / f"{name}.tex", as_latex(summary))
        write_text(folder / f"{name}.csv", as_csv(of_rows(summary)))
        save_curves(folder / f"{name}.png", runs)
    write_text(folder / "runs.csv", as_csv(of_runs(list(everything.values()))))
    text = "\n".join([*texts, NOTE])
    write_text(folder / "comparison.md", text)
    return text
