"""Condenses a data set: python scripts/distill.py dataset=modelnet10 condenser=pcc ppc=1.

Interrupted or killed, python scripts/distill.py resume=FOLDER goes on where it was.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from cl3d.atomic import remove
from cl3d.cli import budget, build_condenser, flag, launch, whole
from cl3d.errors import InputError
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.tasks import build_task


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import Diverged, resolve_device, save
    from cl3d.report.distill import provenance, show_header, show_set, write_cost
    from cl3d.report.pages.write import report_after
    from cl3d.report.terminal import Terminal

    reported = flag(config, "report")
    device = resolve_device(str(config.device))
    seed = whole(config, "seed", 0)
    cost = budget(config)
    condenser = build_condenser(config)
    dataset, model = build_task(config)
    condenser.check_model(model)
    condenser.plan(dataset.train.clouds_of_each_class(), dataset.train.num_points, cost)
    condense = partial(condenser, dataset.train, budget=cost, model=model, seed=seed, device=device)
    written, last_good = folder / "synthetic.safetensors", folder / "last_good.safetensors"
    open_folder(folder, config, finished=written.exists())
    with locked(folder):
        terminal = Terminal()
        show_header(terminal, dataset, condenser, cost, device, folder)
        checkpoint, start = folder / "checkpoint.safetensors", time.monotonic()
        resumed = checkpoint.exists()
        try:
            synthetic = condense(progress=terminal.progress, checkpoint=checkpoint)
        except Diverged as error:
            save(error.synthetic, last_good, provenance(config, dataset))
            raise InputError(f"{error}; the set before that is {last_good}") from error
        seconds = None if resumed else time.monotonic() - start  # what came before is not known
        write_cost(folder / "cost.json", seconds, device, synthetic)
        save(synthetic, written, provenance(config, dataset))
        remove(checkpoint)
        show_set(terminal, synthetic, written)
    if reported:
        report_after(folder, synthetic.initial)


if __name__ == "__main__":
    launch("distill", main)
