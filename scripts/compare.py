"""Several condensers at the same bytes, in one table: python scripts/compare.py dataset=modelnet10 ppc=1.

Interrupted or killed, the same command with the same folder= goes on where it was.
"""

from __future__ import annotations

from pathlib import Path

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cl3d.cli import budget, build_condenser, build_dataset, launch, whole
from cl3d.run_folder import open_folder


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.atomic import write_text
    from cl3d.report.compare import as_csv, jobs, markdown, run_script, table
    from cl3d.report.terminal import Terminal

    whole(config, "runs", 1)
    same = [
        f"{key}={config[key]}" for key in ("ppc", "ratio", "budget", "resolution") if config[key] is not None
    ]
    kept = ("shots", "imbalance", "holdout", "canonical", "device")
    both = [f"{key}={config[key]}" for key in kept if config[key] is not None]
    test = [f"{key}={config[key]}" for key in ("runs", "fresh_decoding")]
    for setting in HydraConfig.get().overrides.task:  # groups, and what stands in them
        head = setting.lstrip("+~").split("=")[0].split(".")[0]
        both += [setting] if head in ("dataset", "data", "model") else []
        test += [setting] if head == "training" else []
    given = OmegaConf.to_container(config, resolve=True)
    planned = jobs(given["condensers"], given["seeds"], folder.absolute())
    data = build_dataset(config).train
    for job in planned:  # refuses what cannot be before anything is made
        name, *changes = job.condenser.split()
        condenser = build_condenser(compose("distill", [f"condenser={name}", *both, *same, *changes]))
        condenser.plan(data.clouds_of_each_class(), data.num_points, budget(config))
    open_folder(folder, config, finished=(folder / "comparison.csv").exists())
    terminal, results = Terminal(), []
    for number, job in enumerate(planned, 1):
        title = f"{number}/{len(planned)} {job.condenser}, seed {job.seed}"
        for command in job.commands([*both, *same], [*both, *test]):
            terminal.say(f"[bold]{title}: {command[0]}[/bold]")
            run_script(Path(__file__).parent, command)
        results.append(job.result())
    shown = markdown(table(results))
    write_text(folder / "comparison.md", shown)
    write_text(folder / "comparison.csv", as_csv(results))
    terminal.say(shown)  # as lines, which a narrow terminal wraps and does not cut
    terminal.say(f"written: {folder}/comparison.md, comparison.csv")


if __name__ == "__main__":
    launch("compare", main)
