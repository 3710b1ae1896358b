"""How a script runs: its config, its folder, and what it says and leaves when something goes wrong."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cl3d import cores, distributed
from cl3d.config_paths import CONFIGS, anchored
from cl3d.described import described
from cl3d.errors import InputError, Note
from cl3d.interrupts import heard, listen
from cl3d.launched import check_shared, gone_when_done, one_tells
from cl3d.ops.allocator import tune_allocator
from cl3d.run_folder import AlreadyFinished, job_folder, resumed
from cl3d.sentence import sentence
from cl3d.settings import computing

OmegaConf.register_new_resolver("either", lambda first, second: first or second, replace=True)
OmegaConf.register_new_resolver("job_folder", job_folder, replace=True)
OmegaConf.register_new_resolver("described", described, replace=True)
RESUMABLE = ("cl_run", "distill")
REFUSALS = (InputError, CompactHydraException, OmegaConfBaseException, OSError)
"""What is told in one sentence."""

EXIT_LOST, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


def launch(
    config_name: str, task: Callable[[DictConfig, Path], None], after_all: Callable[[], None] = lambda: None
) -> None:
    """Runs a script's task with the config that the command line describes.

    Args:
        config_name: a file of ``configs/``.
        task: called with the config and the run's folder; with ``-m`` for each job.
        after_all: called in the end, also where jobs were refused.

    Exits with 2 and one sentence on wrong input, with 130 when interrupted, with 1 where another process of
    the same run has ended.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # let exceptions through to here
    cores.begin()
    listen()  # SIGTERM is as Ctrl-C: what can be kept is kept
    _set_up()
    with gone_when_done():
        try:
            with distributed.processes(), one_tells():
                _launch(config_name, task, after_all)
        except distributed.Lost as error:  # when this one had come to its end
            _exit(EXIT_LOST, [f"error: {error}"])
        except InputError as error:
            _exit(EXIT_BAD_INPUT, [f"error: {error}"])


def _launch(
    config_name: str, task: Callable[[DictConfig, Path], None], after_all: Callable[[], None]
) -> None:
    folders: list[Path] = []
    refused: list[Exception] = []
    start, process = time.time(), os.getpid()

    @hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config_name)
    def run(config: DictConfig) -> None:
        folders.append(Path(HydraConfig.get().runtime.output_dir))
        folders.append(distributed.by_main(lambda: folders[-1]))  # clocks differ, and name folders
        alone = os.getpid() != process  # a launcher's own, from which exceptions alone get out
        if alone:
            _set_up()
            os.environ.setdefault("CI", "1")  # several processes' bars do not go on one terminal
        try:
            check_shared(config_name)
            config = resumed(anchored(config), folders[-1])
            with computing(config):
                task(config, folders[-1])
        except AlreadyFinished as error:
            print(error)
        except Exception as error:
            if heard():
                raise KeyboardInterrupt from error  # which an import made another exception of
            if not isinstance(error, REFUSALS):
                raise
            if alone:
                print(f"error: {folders[-1]}: {sentence(error)}", file=sys.stderr)
                raise InputError(f"{folders[-1]}: {sentence(error)}") from None
            if distributed.world() > 1:  # others may not meet it, and would wait for this one in a next job
                _remove_empty(folders, start)
                _exit(EXIT_BAD_INPUT, [f"error: {sentence(error)}"])
            refused.append(error)  # a sweep's other jobs go on

    try:
        run()
        after_all()
    except KeyboardInterrupt as error:
        lost = isinstance(error, distributed.Lost)
        kept = _remove_empty(folders, start)
        where = f"; what is finished is in {kept[-1]}" if kept else ""
        if kept and config_name in RESUMABLE:
            where += f", and resume={kept[-1]} goes on"
        _exit(EXIT_LOST if lost else EXIT_INTERRUPTED, [f"{error if lost else 'interrupted'}{where}"])
    except REFUSALS as error:
        refused.append(error)
    _remove_empty(folders, start)  # of what was refused, or wrote nothing
    if refused:
        _exit(EXIT_BAD_INPUT, [f"error: {sentence(error)}" for error in refused])


def refused(task: Callable[[], None]) -> int:
    """Runs the task of a script without a config; its exit code, 2 and one sentence on wrong input."""
    warnings.showwarning = _show_warning
    try:
        task()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def _set_up() -> None:
    """What each process that runs a task needs."""
    warnings.showwarning = _show_warning
    tune_allocator()


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, Note) and distributed.is_main():  # what libraries warn of is for developers
        print(f"note: {message}", file=sys.stderr)


def _remove_empty(folders: list[Path], start: float) -> list[Path]:
    """Removes the folders that this launch made and wrote nothing into; returns the others."""
    for folder in folders:
        with contextlib.suppress(OSError):
            if folder.stat().st_ctime >= start:
                folder.rmdir()
    return [folder for folder in folders if folder.is_dir()]


def _exit(code: int, lines: list[str]) -> None:
    who = "" if distributed.is_main() else f"process {distributed.rank()}: "
    print(*(f"{who}{line}" for line in lines), sep="\n", file=sys.stderr)
    sys.exit(code)
