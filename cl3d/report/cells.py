"""The runs of a continual comparison: which there are, and where each is found again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from cl3d import __version__
from cl3d.configured import continual_run
from cl3d.continual import ContinualRun, finished
from cl3d.continual.recalled import recallable
from cl3d.data import Dataset
from cl3d.distill import Reservoir
from cl3d.errors import InputError, check_whole
from cl3d.report.jobs import Job, listed, quoted, seeds_of

ELSEWHERE = ("folder", "resume", "report", "logger", "class_order", "order_seed", "memory_of")
"""Settings of ``cl_run.py`` that a digest does not have, or in another form."""

LEARNING = ("strategy", "classifier")
"""Settings of ``cl_run.py`` that a memory does not hang on."""

OWN = ("seed", "order_seed", "memory_of", "dataset", "benchmark", "experiment")
"""Settings that a comparison gives each run itself, or that bounds would have to share."""

GROUPS = ("strategy", "buffer", "condenser")
"""Choices that make a row or a table; settings of what is chosen may be shared."""

DATA_PLACES = ("root", "download", "cache")
"""Settings of a data set that say where it lies: the fingerprint says what it is."""


@dataclass(frozen=True)
class CellJob(Job):
    """A run of ``cl_run.py``: its results are there from the start, and say when they are whole.

    Attributes:
        memory: the same for runs that condense the same; None of those without a memory, and of reservoirs,
            which are not condensed.
    """

    memory: str | None = None

    @property
    def done(self) -> bool:
        """Whether the run is finished."""
        return finished(self.product.parent)

    @property
    def gives(self) -> bool:
        """Whether it has or will have a memory that others can take."""
        return self.memory is not None and (not self.done or recallable(self.product.parent))

    @property
    def ready(self) -> bool:
        """Whether the run whose memory it takes is finished."""
        return self.needs is None or finished(self.needs.parent)

    def taking(self, source: CellJob) -> CellJob:
        """The run with the memory of another."""
        memory_of = f"memory_of={quoted(source.product.parent)}"
        return replace(self, settings=(*self.settings, memory_of), needs=source.product)


@dataclass(frozen=True)
class Kind:
    """One row: a memory or a bound, under one strategy, in one number of steps.

    Attributes:
        label: the entry, as it was given.
        run: one of its runs, which forecasts the others.
        jobs: its runs, by class order and seed.
    """

    label: str
    run: ContinualRun
    jobs: tuple[CellJob, ...]


@dataclass(frozen=True)
class Grid:
    """What is compared: a table for each strategy and number of steps, a row for each buffer and bound.

    Attributes:
        settings: of all runs with a memory, beside those that a comparison names itself.
    """

    buffers: list[str]
    bounds: list[str]
    strategies: list[str]
    steps: list[int]
    orders: list[int]
    seeds: list[int]
    settings: list[str]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Grid:
        """That of ``configs/compare_cl.yaml``.

        Raises:
            InputError: if something is no list, or stands there twice.
        """
        entries = {name: config[name] for name in ("buffers", "bounds", "strategies", "settings")}
        for name, values in entries.items():
            if values != [] or name not in ("bounds", "settings"):
                listed(name, values, str, "[random,dm]")
        for setting in entries["settings"]:
            if _node(setting) in (*config, *OWN) or setting.split("=")[0] in GROUPS:
                raise InputError(
                    f"settings=[{setting}]: this is no setting to share, or has a key of its own"
                )
        steps = config["steps"] if isinstance(config["steps"], list) else [config["steps"]]
        for count in steps:
            check_whole("steps", count, 1)
        listed("steps", steps, int, "[5,10]")
        orders = seeds_of(config["class_orders"], "class_orders")
        return cls(**entries, steps=steps, orders=orders, seeds=seeds_of(config["seeds"]))

    def tables(self, planner: Planner) -> dict[str, tuple[Kind, ...]]:
        """The rows of each table, by its title.

        Raises:
            InputError: if one of them cannot be run.
        """
        return condensing_once(
            {
                f"{strategy}, {steps} steps": planner.table(strategy, steps, self.buffers, self.bounds)
                for strategy in self.strategies
                for steps in self.steps
            }
        )


def condensing_once(tables: Mapping[str, tuple[Kind, ...]]) -> dict[str, tuple[Kind, ...]]:
    """The same tables; of runs that condense the same, one does, and the others take its memory."""
    jobs = [job for kinds in tables.values() for kind in kinds for job in kind.jobs]
    sources = dict[str | None, CellJob]()
    for job in sorted(filter(lambda job: job.gives, jobs), key=lambda job: not job.done):
        sources.setdefault(job.memory, job)  # the sort is stable: what is there already comes first

    def placed(job: CellJob) -> CellJob:
        source = sources.get(job.memory, job)
        return job if job.product == source.product else job.taking(source)

    return {
        title: tuple(replace(kind, jobs=tuple(map(placed, kind.jobs))) for kind in kinds)
        for title, kinds in tables.items()
    }


@dataclass(frozen=True)
class Planner:
    """Makes the runs of a comparison.

    Attributes:
        compose: gives ``cl_run.py``'s config with overrides; asked for the same often.
        fingerprint: of the data set.
        shared: overrides of all runs.
        memory: overrides of the runs with a memory, such as its budget.
        orders, seeds: of the class order, and of all else; each of the one meets each of the other.
        store: the folder that holds a folder for each run.
    """

    compose: Callable[[tuple[str, ...]], DictConfig]
    dataset: Dataset
    fingerprint: str
    shared: tuple[str, ...]
    memory: tuple[str, ...]
    orders: tuple[int, ...]
    seeds: tuple[int, ...]
    store: Path

    def table(
        self, strategy: str, steps: int, buffers: Sequence[str], bounds: Sequence[str]
    ) -> tuple[Kind, ...]:
        """The rows of one table: all buffers under a strategy, and the bounds.

        Raises:
            InputError: if one of them cannot be run.
        """
        rows = [self._kind(buffer, strategy, buffer, steps) for buffer in buffers]
        return (*rows, *(self._kind(bound, bound, None, steps) for bound in bounds))

    def _kind(self, label: str, strategy: str, buffer: str | None, steps: int) -> Kind:
        overrides = [*self.shared, *_choice("strategy", "strategy", strategy)]
        # a run without a memory has one in its config, too: always the same
        overrides += _choice("buffer", "condenser", buffer or "random")
        overrides += [] if buffer is None else self.memory
        try:
            first = self._run(tuple(overrides), steps, self.orders[0])
        except InputError as error:
            raise InputError(f"{label}: {error}") from error
        if first.strategy.needs_buffer != (buffer is not None):
            where = "strategies" if first.strategy.needs_buffer else "bounds"
            raise InputError(f"strategy={strategy} stands in the wrong list: give it in {where}=")
        orders = self.orders
        if first.strategy.one_step:  # whatever the order and the number of steps, the classes come at once
            orders, steps = (0,), 1
        title = strategy if buffer is None else f"{label}, {strategy}"
        jobs = (self._jobs(title, tuple(overrides), steps, order) for order in orders)
        return Kind(label, first, tuple(chain.from_iterable(jobs)))

    def _jobs(self, title: str, overrides: tuple[str, ...], steps: int, order: int) -> Iterator[CellJob]:
        """A run with each seed, found again by its digest."""
        config, run = self._config(overrides, steps, order), self._run(overrides, steps, order)
        together = run.strategy.one_step
        how = "all classes at once" if together else f"{steps} steps, class order {order}"
        for seed in self.seeds:
            folder = self.store / self._digest(config, run.order, seed)
            remembers = run.strategy.needs_buffer and not isinstance(run.condenser, Reservoir)
            memory = self._digest(config, run.order, seed, LEARNING) if remembers else None
            told = f"{title}, {how}, seed {seed}"
            settings = (*overrides, f"steps={steps}", f"order_seed={order}", f"seed={seed}", "report=false")
            yield CellJob(told, "cl_run", settings, folder / "results.json", memory=memory)

    def _config(self, overrides: tuple[str, ...], steps: int, order: int) -> DictConfig:
        config = OmegaConf.merge(self.compose(overrides), {"steps": steps, "order_seed": order})
        assert isinstance(config, DictConfig)
        return config

    def _run(self, overrides: tuple[str, ...], steps: int, order: int) -> ContinualRun:
        run = continual_run(self._config(overrides, steps, order), self.dataset)
        assert isinstance(run, ContinualRun)
        return run

    def _digest(self, config: DictConfig, order: Sequence[int], seed: int, apart: Sequence[str] = ()) -> str:
        """Names a run by all that decides what comes out of it, but for settings that stand apart."""
        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        settings = {str(key): value for key, value in plain.items() if key not in (*ELSEWHERE, *apart)}
        data = {key: value for key, value in settings["data"].items() if key not in DATA_PLACES}
        content = {
            "settings": settings | {"data": data, "seed": seed},
            "order": list(order),
            "fingerprint": self.fingerprint,
            "versions": [__version__, torch.__version__],
        }
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=10).hexdigest()


def _choice(group: str, node: str, entry: str) -> list[str]:
    """An entry of a comparison as overrides.

    Raises:
        InputError: if it changes more than what it chooses: all else is the same for all runs.
    """
    name, *changes = entry.split()
    for change in changes:
        if _node(change) != node:
            raise InputError(f"{change} in {entry!r}: an entry changes {node} alone; all runs share the rest")
    return [f"{group}={name}", *changes]


def _node(override: str) -> str:
    """What of the config an override changes."""
    return re.split(r"[=./]", override.lstrip("+~"))[0]
