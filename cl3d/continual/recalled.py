"""A memory that another run has condensed, taken from its folder instead of being condensed again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cl3d import __version__
from cl3d.clouds import PointClouds
from cl3d.continual.benchmark import parted
from cl3d.continual.memory_files import MEMORY, PROVENANCE, initial_file, set_file
from cl3d.distill import Reservoir, SyntheticSet, load
from cl3d.distill.condenser import Condenser
from cl3d.distill.initial import load_initial
from cl3d.errors import InputError
from cl3d.locks import in_use

LEAVE_OUT = "leave it out (memory_of=null, beside resume= too)"

LEARNING = ("strategy", "strategy_settings", "classifier", "classes_per_task", "order_seed")
"""Settings of a run that its memory does not hang on; the order that ``order_seed`` draws is told itself."""


class Recalled:
    """Gives each step the set that a finished run condensed from the same clouds.

    A set hangs on its step's clouds, the condenser, the budget and the seed, and not on how the stream is
    learnt: runs that differ in their strategy alone condense the same bytes. What one of them has condensed
    serves the others.

    Args:
        folder: of the finished run.
        settings: of the run that asks; see :meth:`ContinualRun.settings`.
        condenser: what both are condensed with.
        count: told of each set the seconds and the peak memory in bytes that condensing it took.

    Raises:
        InputError: if there is no finished run, or one with another memory, or a file of it is missing or
            damaged, or the memory is a reservoir, which is filled while the stream goes by.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        condenser: Condenser,
        count: Callable[[float, int], None] = lambda seconds, nbytes: None,
    ) -> None:
        self.folder, self.condenser, self.count = folder, condenser, count
        if isinstance(condenser, Reservoir):
            raise InputError(f"memory_of={folder}: buffer={condenser.name} condenses nothing: leave it out")
        results = self._read("results.json", ("status", "settings", "cl3d_version", "condensing_per_step"))
        if results["status"] != "finished":
            todo = "is in use by another process: wait for it" if in_use(folder) else "was left: resume it"
            raise InputError(f"memory_of={folder}: this run is not finished and {todo}")
        self._check(results["settings"] | {"cl3d_version": results["cl3d_version"]}, settings)
        self._groups = parted(settings["class_order"], settings["classes_per_step"])
        self._told = results["condensing_per_step"]
        self._seconds, self._peaks = (
            [step["condense"] for step in self._read(name, ("per_step",))["per_step"]]
            for name in ("seconds.json", "peak_memory.json")
        )
        self._provenance = {key: settings[key] for key in PROVENANCE}
        for step in range(len(self._groups)):  # before any training
            self._set(step)

    def __call__(self, clouds: PointClouds, **settings: Any) -> SyntheticSet:
        """The set of the step that has the classes of ``clouds``, which are not looked at further.

        Raises:
            InputError: if its file is missing or damaged.
        """
        step = [sorted(group) for group in self._groups].index(clouds.classes)
        synthetic = self._set(step)
        synthetic.info = dict(self._told[step])  # the file's has the other run's provenance
        with suppress(InputError):  # for pictures alone, and not kept by every run
            synthetic.initial = load_initial(initial_file(self.folder, step))
        self.count(self._seconds[step], self._peaks[step])
        return synthetic

    def least_bytes(self, num_points: int) -> int:
        """See :meth:`Condenser.least_bytes`."""
        return self.condenser.least_bytes(num_points)

    def _check(self, there: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        """Refuses a run with another memory."""
        asked = {**settings, "cl3d_version": __version__}
        differing = [key for key in asked if key not in LEARNING and there.get(key) != asked[key]]
        if differing:
            raise InputError(
                f"memory_of={self.folder}: this run has another memory (it differs in "
                f"{', '.join(differing)}): give one that differs in its strategy alone, or {LEAVE_OUT}"
            )

    def _set(self, step: int) -> SyntheticSet:
        path = self.folder / MEMORY / set_file(step)
        try:
            synthetic = load(path)
        except InputError as error:
            raise InputError(f"memory_of={self.folder}: {error}; or {LEAVE_OUT}") from error
        told = synthetic.info.get("provenance", {})
        if any(told.get(key) != value for key, value in {**self._provenance, "step": step}.items()):
            raise InputError(f"memory_of={self.folder}: {path} is a set of another run or step: {LEAVE_OUT}")
        return synthetic

    def _read(self, name: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """A JSON file of the run that has these keys."""
        try:
            content = json.loads((self.folder / name).read_text())
            return {key: content[key] for key in keys}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"memory_of={self.folder}: there is no {name} that can be read ({error}): give the folder of "
                f"a finished run, or {LEAVE_OUT}"
            ) from error


def recallable(folder: Path) -> bool:
    """Whether a finished run's folder still has each set that was condensed."""
    try:
        steps = json.loads((folder / "results.json").read_text())["settings"]["classes_per_step"]
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return all((folder / MEMORY / set_file(step)).is_file() for step in range(len(steps)))
