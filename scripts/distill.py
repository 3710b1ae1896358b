"""Condenses a data set: python scripts/distill.py dataset=modelnet10 condenser=pcc ppc=1.

Interrupted or killed, python scripts/distill.py resume=FOLDER goes on where it was.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from cl3d.atomic import remove
from cl3d.cli import launch
from cl3d.configured import build_log
from cl3d.errors import InputError
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.settings import budget, build_condenser, flag, whole
from cl3d.tasks import build_task


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import Diverged, resolve_device, save
    from cl3d.report.distill import provenance, show_header, show_set, write_cost
    from cl3d.report.pages.write import report_after
    from cl3d.report.rows import of_set
    from cl3d.report.terminal import Terminal

    reported, log = flag(config, "report"), build_log(config)
    device, seed = resolve_device(str(config.device)), whole(config, "seed", 0)
    cost, condenser = budget(config), build_condenser(config)
    dataset, model = build_task(config)
    condenser.check_model(model)
    condenser.plan(dataset.train.clouds_of_each_class(), dataset.train.num_points, cost)
    condense = partial(condenser, dataset.train, budget=cost, model=model, seed=seed, device=device)
    written, last_good = (folder / f"{name}.safetensors" for name in ("synthetic", "last_good"))
    open_folder(folder, config, finished=written.exists())
    terminal = Terminal()
    with locked(folder), log:
        log.open(folder)
        show_header(terminal, dataset, condenser, cost, device, folder)
        checkpoint = folder / "checkpoint.safetensors"
        start = None if checkpoint.exists() else time.monotonic()  # what came before is not known
        try:
            synthetic = condense(progress=log.watching(terminal.progress), checkpoint=checkpoint)
        except Diverged as error:
            save(error.synthetic, last_good, provenance(config, dataset))
            raise InputError(f"{error}; the set before that is {last_good}") from error
        seconds = None if start is None else time.monotonic() - start
        spent = write_cost(folder / "cost.json", seconds, device, synthetic)
        save(synthetic, written, provenance(config, dataset))
        remove(checkpoint)
        log.write(of_set(synthetic, spent))
        show_set(terminal, synthetic, written)
    if reported:
        report_after(folder, synthetic.initial)


if __name__ == "__main__":
    launch("distill", main)
