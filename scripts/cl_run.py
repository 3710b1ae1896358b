"""Class-incremental learning with a distilled memory: python scripts/cl_run.py steps=10 buffer=pcc.

Interrupted or killed, python scripts/cl_run.py resume=FOLDER goes on where it was.
With -m it is many runs, which dry_run=true counts.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import launch
from cl3d.configured import build_log, continual_run
from cl3d.report.sweep import Forecast
from cl3d.run_folder import open_folder
from cl3d.settings import MEMORY, flag

jobs = Forecast()


def main(config: DictConfig, folder: Path) -> None:
    # late: importing avalanche takes seconds, and --help should not
    from cl3d.continual import Results, finished
    from cl3d.report.continual import show_header, show_step, show_summary
    from cl3d.report.pages.write import report_after
    from cl3d.report.rows import of_steps
    from cl3d.report.terminal import Terminal

    reported, log = flag(config, "report"), build_log(config)
    run = continual_run(config)
    if flag(config, "dry_run"):
        jobs.add(folder, run)
        return
    unused = () if run.strategy.needs_buffer else MEMORY
    open_folder(folder, config, finished=finished(folder), unused=unused)
    terminal = Terminal()

    def begin() -> None:
        log.open(folder)
        show_header(terminal, run, folder)

    def tell(results: Results) -> None:
        show_step(terminal, run, results.steps[-1])
        log.write(of_steps(results))

    with log:
        watched = log.watching(terminal.progress)
        results = run.start(folder, watched, on_step=tell, on_start=begin, keep_initial=reported)
        log.write(of_steps(results))  # those that a kill has kept from being logged
    show_summary(terminal, results, folder)
    if reported:
        report_after(folder)


if __name__ == "__main__":
    launch("cl_run", main, after_all=jobs.tell)
