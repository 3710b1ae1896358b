"""Several condensers at the same bytes, in one table: python scripts/compare.py dataset=modelnet10 ppc=1.

The same command with the same folder= goes on where it was; with more condensers or seeds it adds to what is
there.
"""

from __future__ import annotations

from pathlib import Path

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from cl3d.cli import launch
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.settings import NUMERICS, budget, build_condenser, handed_on, whole
from cl3d.tasks import build_task

GROWS = ("condensers", "seeds")
"""Settings that only say which pairs there are: a folder keeps those of earlier runs."""


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.atomic import write_text
    from cl3d.report.compare import columns, pairs, table
    from cl3d.report.jobs import run_jobs
    from cl3d.report.terminal import Terminal
    from cl3d.report.text_tables import as_csv, markdown

    whole(config, "runs", 1)
    workers = whole(config, "workers", 1)
    same = handed_on(config, (), ("ppc", "ratio", "budget", "resolution"))
    kept = ("shots", "imbalance", "holdout", "canonical", *NUMERICS)
    both = handed_on(config, ("task", "dataset", "data", "model"), kept)
    test = handed_on(config, ("training",), ("runs", "fresh_decoding"))
    given = OmegaConf.to_container(config, resolve=True)
    planned = pairs(given["condensers"], given["seeds"], folder.absolute())
    dataset, model = build_task(config)
    data = dataset.train
    for pair in planned:  # refuses what cannot be before anything is made
        name, *changes = pair.condenser.split()
        condenser = build_condenser(compose("distill", [f"condenser={name}", *both, *same, *changes]))
        condenser.check_model(model)
        condenser.plan(data.clouds_of_each_class(), data.num_points, budget(config))
    open_folder(folder, config, finished=False, grows=GROWS)
    terminal = Terminal()
    jobs = [job for pair in planned for job in pair.jobs([*both, *same], [*both, *test])]
    with locked(folder):
        run_jobs(jobs, Path(__file__).parent, workers, terminal.say)
    results = [pair.result() for pair in planned]
    shown = markdown(columns(results), table(results))
    write_text(folder / "comparison.md", shown)
    write_text(folder / "comparison.csv", as_csv(results))
    terminal.say(shown)  # as lines, which a narrow terminal wraps and does not cut
    terminal.say(f"written: {folder}/comparison.md, comparison.csv")


if __name__ == "__main__":
    launch("compare", main)
