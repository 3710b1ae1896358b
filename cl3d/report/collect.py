"""Finds finished runs in folders, and tells apart what a sweep varied."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from cl3d.errors import InputError, Note
from cl3d.report.curves import read_results
from cl3d.report.groups import Run, label, steps_of

RESULTS = "results.json"


def collect(folders: Sequence[Path]) -> list[Run]:
    """The runs in run folders, and in folders of runs, such as a sweep leaves.

    Runs of one buffer with different settings are called by what differs.

    Raises:
        InputError: if there is no finished run in one of them, or one that was named itself is unfinished.
    """
    runs: list[Run] = []
    for folder in folders:
        if (folder / RESULTS).is_file():
            runs.append(read_results(folder))
            continue
        found = [path.parent for path in sorted(folder.glob(f"*/{RESULTS}"))]
        mine = [run for run in map(_finished, found) if run is not None]
        if not mine:
            raise InputError(f"there is no finished run in {folder}: give folders that cl_run.py wrote")
        runs += mine
    return distinguished(runs)


def distinguished(runs: Sequence[Run]) -> list[Run]:
    """The runs; those of one name but other buffer settings are named by the settings that differ."""
    named = list(runs)
    keys = [(label(run), run["settings"]["strategy"], steps_of(run)) for run in runs]
    for key in dict.fromkeys(keys):
        positions = [position for position, other in enumerate(keys) if other == key]
        if len({runs[position]["settings"]["buffer_settings"] for position in positions}) < 2:
            continue
        settings = [_condenser(runs[position]) for position in positions]
        names = sorted({name for one in settings for name in one})
        differing = [name for name in names if len({str(one.get(name)) for one in settings}) > 1]
        for position, one in zip(positions, settings, strict=True):
            told = ", ".join(f"{name}={one.get(name)}" for name in differing)
            if told:
                named[position] = runs[position] | {"label": f"{key[0]}, {told}"}
    return named


def _finished(folder: Path) -> Run | None:
    try:
        return read_results(folder)
    except InputError as error:
        warnings.warn(f"{error} (left out)", Note, stacklevel=2)
        return None


def _condenser(run: Run) -> dict[str, Any]:
    """The memory's settings of the run's config, with dots in their names; nothing where it is gone."""
    path = Path(run["folder"]) / "config.yaml"
    stored = OmegaConf.load(path) if path.is_file() else OmegaConf.create()
    plain = OmegaConf.to_container(stored)
    if not isinstance(plain, dict):
        return {}
    return _flat(plain.get("condenser") or {}) | {"resolution": plain.get("resolution")}


def _flat(settings: dict[Any, Any], head: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{head}{name}.") if isinstance(value, dict) else {f"{head}{name}": value}
    return flat
