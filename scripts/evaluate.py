"""Tests what a synthetic set is worth: python scripts/evaluate.py set=runs/pcc/synthetic.safetensors."""

from __future__ import annotations

import time
from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import launch
from cl3d.configured import build_log
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.settings import build, flag, whole
from cl3d.tasks import build_task


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import evaluate, load, resolve_device
    from cl3d.report.distill import check_fits, show_evaluation, write_cost, write_evaluation
    from cl3d.report.rows import of_evaluation
    from cl3d.report.terminal import Terminal

    log, device = build_log(config), resolve_device(str(config.device))
    runs, seed = whole(config, "runs", 1), whole(config, "seed", 0)
    training = build(config.training)
    fresh_decoding, best_epoch = flag(config, "fresh_decoding"), flag(config, "best_epoch")
    decode_points = None if config.decode_points is None else whole(config, "decode_points", 1)
    synthetic = None if config.set == "data" else load(str(config.set))
    dataset, model = build_task(config)
    if synthetic is not None:
        check_fits(synthetic, dataset, model)
    open_folder(folder, config, finished=(folder / "evaluation.json").exists())
    with locked(folder), log:
        terminal, start = Terminal(), time.monotonic()
        log.open(folder)
        evaluation = evaluate(
            dataset.train if synthetic is None else synthetic,
            dataset.test,
            model=model,
            training=training,
            runs=runs,
            seed=seed,
            device=device,
            progress=log.watching(terminal.progress),
            num_points=decode_points,
            fresh_decoding=fresh_decoding,
            best_epoch=best_epoch,
            class_parts=dataset.class_parts,
        )
        write_cost(folder / "cost.json", time.monotonic() - start, device)
        write_evaluation(folder / "evaluation.json", evaluation, dataset)
        log.write(of_evaluation(evaluation, dataset))
        show_evaluation(terminal, evaluation, dataset, folder)


if __name__ == "__main__":
    launch("evaluate", main)
