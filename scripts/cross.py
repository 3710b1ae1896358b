"""Sets across models, in one table: python scripts/cross.py sets=[FILE,FILE] models=[pointnet,dgcnn].

Condenses before, where it is told condensers=[random,pcc] distil_with=[pointnet]. The same command with the
same folder= goes on where it was; with more models, sets or seeds it adds to what is there.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import launch
from cl3d.locks import locked
from cl3d.run_folder import open_folder
from cl3d.settings import build_dataset, flag, whole


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.atomic import write_text
    from cl3d.distill import resolve_device
    from cl3d.report.cross_plan import GROWS, plan
    from cl3d.report.cross_table import accuracies, costs
    from cl3d.report.forecast import forecast
    from cl3d.report.jobs import run_jobs
    from cl3d.report.terminal import Terminal
    from cl3d.report.text_tables import as_csv

    workers, device = whole(config, "workers", 1), resolve_device(str(config.device))
    dataset, terminal = build_dataset(config), Terminal()
    cross = plan(config, dataset, folder.absolute())
    if flag(config, "dry_run"):
        terminal.say(forecast(cross, dataset, device))
        return
    open_folder(folder, config, finished=False, grows=GROWS)

    def write() -> None:
        results = cross.results()
        if results:
            write_text(folder / "cross.md", f"{accuracies(results)}\n{costs(results)}")
            write_text(folder / "cross.csv", as_csv(results))

    with locked(folder):
        run_jobs(cross.jobs(), Path(__file__).parent, workers, terminal.say, finished=write)
        write()
    terminal.say((folder / "cross.md").read_text())
    terminal.say(f"written: {folder}/cross.md, cross.csv")


if __name__ == "__main__":
    launch("cross", main)
