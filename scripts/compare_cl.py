"""Memories compared in continual runs: python scripts/compare_cl.py buffers=[random,herding,pcc] seeds=5.

Interrupted or killed, the same command goes on where it was; what is there is not computed again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from cl3d.cli import launch
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.settings import MEMORY, NUMERICS, build_dataset, flag, handed_on, whole

CLOUDS = ("shots", "imbalance", "holdout", "canonical")
GROWS = ("buffers", "bounds", "strategies", "steps", "seeds", "class_orders", "reference", "cells")


def main(config: DictConfig, folder: Path) -> None:
    # late: importing avalanche takes seconds, and --help should not
    from cl3d.distill import resolve_device
    from cl3d.report.cells import Grid, Planner
    from cl3d.report.compare_cl import Comparison, run_all, show_plan, write_tables
    from cl3d.report.jobs import quoted
    from cl3d.report.terminal import Terminal

    workers, dry = whole(config, "workers", 1), flag(config, "dry_run")
    grid = Grid.of(OmegaConf.to_container(config, resolve=True))
    same = handed_on(config, ("task", "benchmark", "dataset", "data", "model"), CLOUDS)
    same += [*handed_on(config, (), NUMERICS[1:]), f"device={resolve_device(str(config.device))}"]
    same += [f"class_order={quoted(config.class_order)}"] if config.class_order else []
    dataset = build_dataset(config)
    planner = Planner(
        compose=cache(lambda overrides: compose("cl_run", list(overrides))),
        dataset=dataset,
        fingerprint=dataset.fingerprint(),
        shared=tuple(same),
        memory=(*handed_on(config, (), MEMORY[1:]), *grid.settings),
        orders=tuple(grid.orders),
        seeds=tuple(grid.seeds),
        store=Path(config.cells).absolute(),
    )
    comparison = Comparison(grid.tables(planner), config.reference or grid.buffers[0])
    terminal = Terminal()
    show_plan(terminal, comparison, workers)
    if dry:
        return
    open_folder(folder, config, finished=False, grows=GROWS)
    with locked(folder):
        run_all(comparison.jobs, Path(__file__).parent, workers, terminal)
        terminal.say(write_tables(comparison, folder))
    terminal.say(f"written: {folder}/comparison.md, runs.csv; a .csv, .tex and .png for each table")


if __name__ == "__main__":
    launch("compare_cl", main)
