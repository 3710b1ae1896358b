"""What there is in a run's folder, whether it is finished, interrupted or damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from cl3d.clouds import PointClouds
from cl3d.distill import SyntheticSet, load
from cl3d.distill.initial import load_initial
from cl3d.errors import InputError
from cl3d.locks import in_use
from cl3d.report.curves import load_results
from cl3d.report.groups import Run, label, steps_of
from cl3d.report.headline import headline

Value = TypeVar("Value")
STEP = re.compile(r"step_(\d+)(?:_after_(\d+))?")


@dataclass(frozen=True, eq=False)
class Stored:
    """A set of a memory: its file's name, and what it started from where that is kept."""

    name: str
    synthetic: SyntheticSet
    initial: PointClouds | None


@dataclass(eq=False)
class Found:
    """The content of a folder, as far as it can be read.

    Attributes:
        script: that made it: ``cl_run``, ``distill`` or ``evaluate``.
        config: the resolved configuration; empty where it is gone.
        environment: command, versions and machine, where they were written.
        results: of a continual run: those of its finished steps.
        sets: that it made; of a continual run the memory now.
        evaluations: contents of ``evaluation.json``, by a name.
        cost: the content of ``cost.json``.
        faults: what could not be read, a sentence each.
    """

    folder: Path
    script: str
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    results: Run | None = None
    sets: list[Stored] = field(default_factory=list)
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Of a continual run; one that says it is running while no process has its folder was killed."""
        told = str((self.results or {}).get("status", "interrupted"))
        return "killed" if told == "running" and not in_use(self.folder) else told

    def attempt(self, read: Callable[[], Value], otherwise: Value) -> Value:
        """What ``read`` gives; where it cannot, notes why."""
        try:
            return read()
        except (InputError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            self.faults.append(
                str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            )
            return otherwise


def find(folder: Path) -> Found:
    """Reads a folder that ``cl_run.py``, ``distill.py`` or ``evaluate.py`` wrote.

    Raises:
        InputError: if there is no such thing in it.
    """
    found = Found(folder, "")
    if (folder / "config.yaml").is_file():
        found.config = found.attempt(
            lambda: _mapping(yaml.safe_load((folder / "config.yaml").read_text())), {}
        )
    found.script = str(found.config.pop("script", _kind(folder)))
    if found.script not in ("cl_run", "distill", "evaluate"):
        raise InputError(
            f"there is no run in {folder}: give a folder that cl_run.py, distill.py or evaluate.py wrote"
        )
    found.environment = _json(found, folder / "environment.json")
    found.cost = _json(found, folder / "cost.json")
    if found.script == "cl_run":
        found.results = _results(found)
        found.sets = _memory(found)
    elif found.script == "distill":
        found.sets = _sets(found)
    else:
        found.sets = _evaluated(found)
    for path in sorted({*folder.glob("evaluation.json"), *folder.glob("*/evaluation.json")}):
        name = "evaluation" if path.parent == folder else path.parent.name
        found.evaluations |= {name: content} if (content := _json(found, path)) else {}
    return found


def _kind(folder: Path) -> str:
    """What made a folder whose config is gone."""
    if (folder / "results.json").exists() or (folder / "state").is_dir():
        return "cl_run"
    if list(folder.glob("*.safetensors")):
        return "distill"
    return "evaluate" if (folder / "evaluation.json").exists() else ""


def _results(found: Found) -> Run | None:
    """The results; where their file is gone or damaged, those that the newest state has."""
    if (found.folder / "results.json").is_file():
        results = found.attempt(lambda: _usable(load_results(found.folder)), None)
        if results is not None:
            return results
    return found.attempt(lambda: _of_state(found.folder), None)


def _usable(run: Run) -> Run:
    """Results that say at least what they are of."""
    label(run), steps_of(run)
    told = headline(run)
    if len(told.matrix) < len(told.per_step):
        raise InputError(f"results.json lacks the matrix of {told.name}")
    return run


def _of_state(folder: Path) -> Run | None:
    # late: importing avalanche takes seconds
    from cl3d.continual.state import left_results

    left = left_results(folder)
    if left is None:
        return None
    more = {"seconds": left.seconds(), "peak_memory": left.peak_memory(), "folder": str(folder)}
    plain: Run = json.loads(json.dumps(left.to_dict() | more))
    return plain


def _memory(found: Found) -> list[Stored]:
    """The sets of the memory after the last step."""
    folder = found.folder / "memory"
    told: Sequence[Sequence[str]] = (found.results or {}).get("memory_files_per_step") or ()
    names = list(told[-1]) if told else _newest([path.stem for path in sorted(folder.glob("*.safetensors"))])
    stored = []
    for name in names:
        path = folder / Path(name).name
        step = STEP.match(path.stem)
        initial = found.folder / "initial" / f"step_{step[1] if step else '00'}.safetensors"
        stored += _stored(found, path, initial)
    return stored


def _newest(stems: Sequence[str]) -> list[str]:
    """Of each step's files the one that was written last."""
    newest: dict[str, tuple[int, str]] = {}
    for stem in stems:
        if match := STEP.fullmatch(stem):
            written = int(match[2] or match[1])
            newest[match[1]] = max(newest.get(match[1], (-1, "")), (written, stem))
    return [f"{stem}.safetensors" for _, (_, stem) in sorted(newest.items())]


def _sets(found: Found) -> list[Stored]:
    for name in ("synthetic", "last_good"):
        path = found.folder / f"{name}.safetensors"
        if path.is_file():
            return _stored(found, path, found.folder / "initial.safetensors")
    return []


def _evaluated(found: Found) -> list[Stored]:
    """The set that was evaluated, where it still lies there."""
    path = Path(str(found.config.get("set", "")))
    return _stored(found, path, path.with_name("initial.safetensors")) if path.is_file() else []


def _stored(found: Found, path: Path, initial: Path) -> list[Stored]:
    synthetic = found.attempt(lambda: load(path), None)
    started = found.attempt(lambda: load_initial(initial), None) if initial.is_file() else None
    return [] if synthetic is None else [Stored(path.name, synthetic, started)]


def _json(found: Found, path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return found.attempt(lambda: _mapping(json.loads(path.read_text())), {})


def _mapping(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise InputError("a file that should hold settings holds something else")
    return content
