"""Which runs may be averaged, and which may stand side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cl3d.errors import InputError

Run = dict[str, Any]
"""Results as :func:`cl3d.report.curves.read_results` gives them."""

Group = dict[tuple[int | None, int], Run]
"""Runs by the seed of their class order (None where all classes come at once) and their own seed."""

PROTOCOLS = ("scratch", "rehearse", "online")
"""Ways to learn with a memory; what they reach is not the same thing, and never stands in one table."""

SHARED = ("data_fingerprint", "parts_fingerprint", "num_points", "budget", "model")
"""Settings that runs side by side have in common."""


def group_by_seed(runs: Sequence[Run]) -> dict[tuple[int, str], Group]:
    """Runs that differ in their seeds alone, by number of steps and name.

    A bound that a sweep has run with each buffer, or all classes at once for each number of steps, is one
    run: the first.

    Raises:
        InputError: if the runs cannot stand side by side (other data, budget, model, class order for the
            same seed, or training of the same strategy), or a pair of seeds stands twice.
    """
    _check_comparable(runs)
    groups: dict[tuple[int, str], Group] = defaultdict(dict)
    for run in runs:
        name, group = label(run), groups[steps_of(run), label(run)]
        order, seed = key = _key(run)
        for other in group.values():
            _check_equal([run, other], "buffer_settings")
        if key in group and _same_bound(run, group[key]):
            continue
        if key in group:
            which = f"seed {seed}" if order in (None, seed) else f"seed {seed}, order seed {order}"
            raise InputError(f"two runs of {name} have {which}: give one of them")
        group[key] = run
    return dict(groups)


def titled(groups: Mapping[tuple[int, str], Group]) -> list[tuple[str, Group]]:
    """What to call each group in a legend: name, steps where these differ, and how many runs it has."""
    several = len({steps for steps, _ in groups} - {1}) > 1
    return [
        (f"{name}{f', {steps} steps' if several else ''} ({len(group)})", group)
        for (steps, name), group in groups.items()
    ]


def side_by_side(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each table: one for each data set, protocol, number of steps and budget, bounds in it."""
    names = dict.fromkeys(map(dataset_of, runs))
    return [table for name in names for table in _of_one([run for run in runs if dataset_of(run) == name])]


def _of_one(runs: Sequence[Run]) -> list[list[Run]]:
    """The same for runs of one data set."""
    tables = []
    found: list[str | None] = [name for name in PROTOCOLS if any(_strategy(run) == name for run in runs)]
    for protocol in found or [None]:
        members = [run for run in runs if protocol in (None, _strategy(run))]
        bounds = [run for run in runs if _strategy(run) not in PROTOCOLS]
        sizes = sorted(set(map(steps_of, members)))
        for steps in [size for size in sizes if size > 1 or protocol is not None] or sizes:
            of_steps = [run for run in members if steps_of(run) == steps]
            shown = _beside(bounds, steps)
            for budget in dict.fromkeys(map(budget_of, of_steps)):
                wanted = {id(run) for run in shown} | {id(r) for r in of_steps if budget_of(r) == budget}
                tables.append([run for run in runs if id(run) in wanted])
    return tables


def _beside(bounds: Sequence[Run], steps: int) -> list[Run]:
    """Those that stand beside runs of so many steps; of all classes at once, rather those of these tasks."""
    fit = [run for run in bounds if steps_of(run) in (1, steps)]
    told = {(label(run), _key(run)) for run in fit if tasks_of(run) == steps}
    return [run for run in fit if tasks_of(run) == steps or (label(run), _key(run)) not in told]


def paired(one: Group, other: Group) -> dict[tuple[int, int], tuple[Run, Run]]:
    """The runs of both that have their seeds in common, by order seed and seed.

    A run in which all classes come at once is the partner of its seed's runs of every class order.
    """
    found = {}
    for (order, seed), run in one.items():
        for (other_order, other_seed), partner in other.items():
            if seed == other_seed and (order == other_order or None in (order, other_order)):
                known = other_order if order is None else order
                found[seed if known is None else known, seed] = run, partner
    return found


def label(run: Run) -> str:
    """What a run is called in a legend or table: its buffer, and its strategy where that is not scratch.

    A ``label`` of its own stands in for these.
    """
    settings = run["settings"]
    buffer, strategy = settings["buffer"], settings["strategy"]
    own = [str(run["label"])] if "label" in run else []
    if buffer is None:
        return ", ".join(own or [str(strategy)])
    parts = own or [str(buffer)] + ([] if strategy == "scratch" else [str(strategy)])
    parts += ["nearest mean"] if settings.get("classifier") == "nearest_mean" else []
    parts += ["condensed jointly (LEAKS)"] if settings.get("leaks") else []
    return ", ".join(parts)


def budget_of(run: Run) -> str | None:
    """What the memory may hold, as it was asked for; None where there is none."""
    budget = run["settings"].get("budget")
    return None if budget is None else str(budget)


def dataset_of(run: Run) -> str | None:
    """The name of the data set; None where the results do not tell it."""
    name = run["settings"].get("dataset")
    return None if name is None else str(name)


def names_of(runs: Sequence[Run]) -> list[str]:
    """What to call each run: its label, with its seeds where several have the same."""
    labels = [label(run) for run in runs]
    names = []
    for run, name in zip(runs, labels, strict=True):
        settings = run["settings"]
        seeds = f"seed {settings['seed']}"
        if settings.get("order_seed", settings["seed"]) != settings["seed"]:
            seeds += f", class order {settings['order_seed']}"
        names.append(name if labels.count(name) == 1 else f"{name}, {seeds}")
    return [
        name if names.count(name) == 1 else f"{name}, {run['folder']}"
        for name, run in zip(names, runs, strict=True)
    ]


def steps_of(run: Run) -> int:
    """In how many steps the classes come."""
    return len(run["settings"]["classes_per_step"])


def tasks_of(run: Run) -> int:
    """How many tasks task-incremental evaluation tells: the steps, also where all classes come at once."""
    settings = run["settings"]
    return len(settings.get("classes_per_task", settings["classes_per_step"]))


def _same_bound(one: Run, other: Run) -> bool:
    """Whether two runs without a memory differ at most in the tasks that their test is told."""
    first, second = ({**run["settings"], "classes_per_task": None} for run in (one, other))
    return first["buffer"] is None and first == second


def _check_comparable(runs: Sequence[Run]) -> None:
    """Refuses runs that cannot stand side by side, saying in what they differ."""
    if len({run["settings"].get("task") for run in runs}) > 1:
        raise InputError(
            "some of the runs are of part segmentation, others of classification: give those of one task"
        )
    for key in SHARED:
        _check_equal(runs, key)
    if len({bool(run["settings"].get("leaks")) for run in runs if run["settings"]["buffer"]}) > 1:
        raise InputError(
            "some of the runs leak (joint_condensed: their memory knows of later steps), others do not: give "
            "those of one kind"
        )
    protocols = sorted({_strategy(run) for run in runs} & set(PROTOCOLS))
    if len(protocols) > 1:
        raise InputError(
            f"the runs follow different protocols ({', '.join(protocols)}): give those of one, and bounds"
        )
    for strategy in {_strategy(run) for run in runs}:
        same = [run for run in runs if _strategy(run) == strategy]
        _check_equal(same, "strategy_settings")
    for steps, order in {(steps_of(run), _key(run)[0]) for run in runs if steps_of(run) > 1}:
        same = [run for run in runs if (steps_of(run), _key(run)[0]) == (steps, order)]
        if len({str(run["settings"].get("class_order")) for run in same}) > 1:
            raise InputError(f"runs of order seed {order} have other class orders: give those of one file")


def _strategy(run: Run) -> str:
    return str(run["settings"]["strategy"])


def _key(run: Run) -> tuple[int | None, int]:
    settings = run["settings"]
    order = settings.get("order_seed", settings["seed"])  # earlier runs drew it by their seed
    return (None if steps_of(run) == 1 else order), settings["seed"]


def _check_equal(runs: Sequence[Run], key: str) -> None:
    found = {str(run["settings"].get(key)) for run in runs} - {"None"}
    if len(found) > 1:
        raise InputError(f"the runs differ in {key} ({'; '.join(sorted(found))}): give those of one setting")
