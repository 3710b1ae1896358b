"""Class-incremental learning with a distilled memory: python scripts/cl_run.py steps=10 buffer=pcc.

Interrupted or killed, python scripts/cl_run.py resume=FOLDER goes on where it was.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import budget, build, build_condenser, build_dataset, build_model, launch, whole
from cl3d.run_folder import open_folder


def main(config: DictConfig, folder: Path) -> None:
    # late: importing avalanche takes seconds, and --help should not
    from cl3d.continual import ContinualRun, finished, read_order
    from cl3d.distill import resolve_device
    from cl3d.report.continual import show_header, show_step, show_summary
    from cl3d.report.terminal import Terminal

    device = resolve_device(str(config.device))
    # what needs no data first: it may have to be downloaded
    steps, seed, orders = whole(config, "steps", 1), whole(config, "seed", 0), config.class_order
    cost, model, strategy = budget(config), build_model(config.model), build(config.strategy)
    condenser = build_condenser(config)
    dataset = build_dataset(config)
    run = ContinualRun(
        dataset=dataset,
        model=model,
        strategy=strategy,
        condenser=condenser,
        budget=cost,
        steps=steps,
        seed=seed,
        device=device,
        given_order=None if orders is None else read_order(str(orders), dataset.class_names, seed),
    )
    open_folder(folder, config, finished=finished(folder))
    terminal = Terminal()
    show_header(terminal, run, folder)
    results = run.start(folder, terminal.progress, lambda step: show_step(terminal, run, step))
    show_summary(terminal, results, folder)


if __name__ == "__main__":
    launch("cl_run", main)
