"""Which runs may be averaged, and which may stand side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cl3d.errors import InputError

Group = dict[int, dict[str, Any]]
"""Results by seed."""

PROTOCOLS = ("scratch", "rehearse", "online")
"""Ways to learn with a memory; what they reach is not the same thing, and never stands in one table."""

SHARED = ("data_fingerprint", "num_points", "budget", "model")
"""Settings that runs side by side have in common."""


def group_by_seed(runs: Sequence[dict[str, Any]]) -> dict[tuple[int, str], Group]:
    """Runs that differ in their seed alone, by number of steps and name.

    Args:
        runs: results as :func:`cl3d.report.curves.read_results` gives them.

    Raises:
        InputError: if the runs cannot stand side by side (other data, budget, model, or training of
            the same strategy), or a seed stands twice.
    """
    _check_comparable(runs)
    groups: dict[tuple[int, str], Group] = defaultdict(dict)
    for run in runs:
        settings = run["settings"]
        key = len(settings["classes_per_step"]), label(run)
        seeds = groups[key]
        if settings["seed"] in seeds:
            raise InputError(f"two runs of {key[1]} have seed {settings['seed']}: give one of them")
        for other in seeds.values():
            _check_equal([run, other], "buffer_settings")
        seeds[settings["seed"]] = run
    return dict(groups)


def label(run: dict[str, Any]) -> str:
    """What a run is called in a legend or table: its buffer, and its strategy where that is not scratch."""
    settings = run["settings"]
    buffer, strategy = settings["buffer"], settings["strategy"]
    if buffer is None:
        return str(strategy)
    parts = [str(buffer)] + ([] if strategy == "scratch" else [str(strategy)])
    parts += ["nearest mean"] if settings.get("classifier") == "nearest_mean" else []
    parts += ["condensed jointly (LEAKS)"] if settings.get("leaks") else []
    return ", ".join(parts)


def _check_comparable(runs: Sequence[dict[str, Any]]) -> None:
    for key in SHARED:
        _check_equal(runs, key)
    if len({bool(run["settings"].get("leaks")) for run in runs if run["settings"]["buffer"]}) > 1:
        raise InputError(
            "some of the runs leak (joint_condensed: their memory knows of later steps), others do not: give "
            "those of one kind"
        )
    protocols = sorted({run["settings"]["strategy"] for run in runs} & set(PROTOCOLS))
    if len(protocols) > 1:
        raise InputError(
            f"the runs follow different protocols ({', '.join(protocols)}): give those of one, and bounds"
        )
    for strategy in {run["settings"]["strategy"] for run in runs}:
        same = [run for run in runs if run["settings"]["strategy"] == strategy]
        _check_equal(same, "strategy_settings")


def _check_equal(runs: Sequence[dict[str, Any]], key: str) -> None:
    found = {str(run["settings"][key]) for run in runs} - {"None"}
    if len(found) > 1:
        raise InputError(f"the runs differ in {key} ({'; '.join(sorted(found))}): give those of one setting")
