"""Entry: what is told of one run's folder."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml

from cl3d.locks import in_use
from cl3d.report.jobs import quoted
from cl3d.report.overview.scripts import SCRIPTS, Facts

RESUMABLE = ("cl_run", "distill")
WRITTEN = (
    "config.yaml",
    "results.json",
    "synthetic.safetensors",
    "checkpoint.safetensors",
    "evaluation.json",
    "comparison.md",
    "cross.csv",
    "state/*",
)
"""Files whose times say when a run was last heard of."""


@dataclass(frozen=True)
class Entry:
    """One run.

    Attributes:
        state: ``finished``, ``running`` (a process has its folder), ``interrupted``, ``failed``,
            ``damaged``.
        last: when it was last heard of, in seconds since the epoch.
        fault: why it is damaged.
        go_on: the command that goes on with it, where it is not finished.
    """

    folder: Path
    script: str
    state: str
    last: float
    facts: Facts = field(default_factory=lambda: Facts(""))
    fault: str = ""
    go_on: str | None = None


def entry(folder: Path) -> Entry | None:
    """What a folder holds; None where it is no run's."""
    try:
        config = _config(folder / "config.yaml")
        if config is None:
            return None
        script = str(config["script"]) if config else ""
        if script and script not in SCRIPTS:
            return None
        facts = SCRIPTS[script](folder, config) if script else Facts("left before it began")
    except Exception as error:  # whatever has become of the files: one run must not hide the others
        missing = isinstance(error, KeyError)
        told = f"a file lacks {error}" if missing else shorten(f"{type(error).__name__}: {error}", 150)
        return Entry(folder, "", "damaged", _last(folder), fault=told)
    state = "finished" if facts.finished else "failed" if facts.failed else "interrupted"
    state = "running" if in_use(folder) else state
    command = _command(folder, script) if state in ("interrupted", "failed") and script else None
    return Entry(folder, script, state, _last(folder), facts, go_on=command)


def _config(path: Path) -> dict[str, Any] | None:
    """The stored config; empty where its run was left before it began; None where it is not one of a script.

    Configs are plain when they are stored, and the fast loader reads them in a thousandth of a second.
    """
    if not path.is_file():
        return None
    content = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if content is None:
        return {} if not path.stat().st_size else None
    return content if isinstance(content, dict) and "script" in content else None


def _last(folder: Path) -> float:
    """When one of the run's files was last written."""
    return max((_attempt(path) for name in WRITTEN for path in folder.glob(name)), default=0.0)


def _attempt(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile, as old states are
        return 0.0


def _command(folder: Path, script: str) -> str | None:
    """How to go on: of the scripts that know ``resume=`` by that, of others by the same command if kept."""
    where = str(folder) if _plain(str(folder)) else quoted(folder)
    if script in RESUMABLE:
        return shlex.join(["python", f"scripts/{script}.py", f"resume={where}"])
    try:
        given = shlex.split(str(json.loads((folder / "environment.json").read_text())["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return shlex.join([*(word for word in given if not word.startswith("folder=")), f"folder={where}"])


def _plain(text: str) -> bool:
    return all(letter.isalnum() or letter in "/._-+" for letter in text)
