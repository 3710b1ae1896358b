"""Runs the scripts within the tests' process, on data so small that it takes a second."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra

SCRIPTS = Path(__file__).parents[1] / "scripts"
TINY = [
    "data.num_points=32",
    "data.train_per_class=4",
    "data.test_per_class=2",
    "data.num_classes=5",
    "model.channels=[8,16]",
    "model.head=[8]",
    "device=cpu",
]
TINY_RUN = [*TINY, "steps=2", "ppc=2", "strategy.training.epochs=2"]


def run(script: str, *arguments: str, monkeypatch, folder: Path | None) -> int:
    """Runs a script in this process, as from the command line; returns its exit code."""
    GlobalHydra.instance().clear()
    flags = [argument for argument in arguments if argument.startswith("-")]
    settings = [argument for argument in arguments if not argument.startswith("-")]
    where = [] if folder is None else [f"folder={folder}"]
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *flags, *where, *settings])
    monkeypatch.setenv("CL3D_MALLOC", "0")
    try:
        runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


def resume(script: str, folder: Path, *others: str, monkeypatch) -> int:
    """Goes on with the run in ``folder``."""
    return run(script, f"resume={folder}", *others, monkeypatch=monkeypatch, folder=None)


def results_of(folder: Path) -> dict[str, Any]:
    """The content of a run's results.json."""
    return json.loads((folder / "results.json").read_text())
