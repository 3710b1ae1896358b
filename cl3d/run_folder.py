"""A run's folder: whose it is, and whether it is gone on with."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cl3d.atomic import write_text
from cl3d.distributed import by_main
from cl3d.environment import environment
from cl3d.errors import InputError

HOW = ("folder", "resume", "workers", "dry_run", "report", "logger", "memory_of")
"""Settings that say where and how a run goes and not what it is."""

AGAIN = ("memory_of",)
"""Those of them that may stand beside ``resume=``: what a run takes from another may be gone meanwhile."""

LONGEST_NAME = 120
"""Characters of a job's folder; file systems take 255."""


class AlreadyFinished(Exception):
    """The run that was asked for is there: nothing has to be done."""


def open_folder(
    folder: Path, config: DictConfig, finished: bool, *, grows: Sequence[str] = (), unused: Sequence[str] = ()
) -> None:
    """Puts the resolved config into a run's folder; an unfinished run of the same settings is gone on with.

    Args:
        finished: whether the folder holds a run that is finished.
        grows: settings that may be others each time, as the folder keeps what was made with the earlier ones.
        unused: settings that the run does not look at, whatever they are.

    Raises:
        AlreadyFinished: if that run has the same settings.
        InputError: if the folder holds another run, or cannot be written to.
    """
    whole = OmegaConf.merge({"script": _script()}, config)
    assert isinstance(whole, DictConfig)
    by_main(partial(_open, folder / "config.yaml", whole, finished, grows, unused))


def _open(path: Path, whole: DictConfig, finished: bool, grows: Sequence[str], unused: Sequence[str]) -> None:
    folder, apart = path.parent, (*HOW, *grows, *unused)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))  # one of several processes wins
    except FileExistsError as error:
        there = _read(path)
        if there is not None and _settings(there, apart) != _settings(whole, apart):
            raise InputError(
                f"{folder} already holds a run with other settings: give another folder=, or remove it"
            ) from error
        if finished:
            raise AlreadyFinished(f"{folder} holds this run, and it is finished: nothing to do") from error
        if there is not None and not grows:
            return
    try:
        write_text(path, OmegaConf.to_yaml(whole, resolve=True))
        if not (folder / "environment.json").exists():
            write_text(folder / "environment.json", json.dumps(environment(_command()), indent=1) + "\n")
    except InputError:
        if path.exists() and not path.stat().st_size:
            path.unlink()  # the empty file would keep others out
        raise


def resumed(config: DictConfig, folder: Path) -> DictConfig:
    """The config of the run that ``resume=`` names, or the one that was given.

    Raises:
        InputError: if there is no such run of this script, or other settings stand beside ``resume=``.
    """
    return by_main(partial(_resumed, config, folder))


def _resumed(config: DictConfig, folder: Path) -> DictConfig:
    if "resume" not in config or config.resume is None:
        return config
    if not isinstance(config.resume, str) or not config.resume:
        raise InputError(f"resume={config.resume}: give the folder of a run")
    given = HydraConfig.get().overrides.task
    others = [text for text in given if text.split("=")[0] not in ("resume", *AGAIN)]
    if others or str(HydraConfig.get().mode) == "RunMode.MULTIRUN":
        what = ", ".join(others) or "-m"
        raise InputError(f"resume={config.resume} takes the run's own settings: leave out {what}")
    path = folder / "config.yaml"
    if not path.is_file():
        raise InputError(f"{folder} holds no run (there is no config.yaml): give the folder of one")
    stored = _read(path)
    if stored is None:
        raise InputError(f"{folder} was left before its run began: start it anew")
    script = stored.pop("script", None)
    if script != _script():
        raise InputError(f"{folder} is a run of {script}.py: resume it with that")
    # a task is told only where it is not to classify
    differing = ", ".join(sorted(map(str, (set(stored) ^ set(config)) - {*HOW, "task"})))
    if differing:
        raise InputError(f"{folder} was left by another version (it differs in {differing}): start it anew")
    # how a run goes may have got settings since
    changed = {name: config[name] for name in AGAIN if any(text.startswith(f"{name}=") for text in given)}
    whole = OmegaConf.merge({name: config[name] for name in HOW if name in config}, stored, changed)
    assert isinstance(whole, DictConfig)
    return whole


def job_folder(settings: str) -> str:
    """The folder of one of a sweep's jobs, named by its settings: it is found again by any sweep."""
    name = re.sub(r"[^\w.+-]+", "_", settings).strip("_") or "job"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{hashlib.blake2b(settings.encode(), digest_size=6).hexdigest()}"


def _read(path: Path) -> DictConfig | None:
    """The stored config; None where the file is still empty."""
    try:
        stored = OmegaConf.load(path)
    except (yaml.YAMLError, OmegaConfBaseException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged: give another folder=, or remove it") from error
    if not isinstance(stored, DictConfig):
        raise InputError(f"{path} is damaged: give another folder=, or remove it")
    return stored if len(stored) else None


def _settings(config: DictConfig, apart: Sequence[str]) -> dict[str, object]:
    """What a run is, but for settings that stand apart."""
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items() if key not in apart}


def _command() -> str:
    """What to type for this run; of a sweep, for this job of it."""
    return shlex.join(["python", f"scripts/{_script()}.py", *HydraConfig.get().overrides.task])


def _script() -> str:
    return str(HydraConfig.get().job.config_name)
