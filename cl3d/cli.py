"""What the scripts share: from the command line to objects, and from exceptions to one sentence."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import (
    CompactHydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cl3d import distributed
from cl3d.config_paths import CONFIGS, anchored
from cl3d.described import described
from cl3d.errors import InputError, Note, check_whole
from cl3d.launched import check_shared, one_tells
from cl3d.ops.allocator import tune_allocator
from cl3d.run_folder import AlreadyFinished, job_folder, resumed

OmegaConf.register_new_resolver("either", lambda first, second: first or second, replace=True)
OmegaConf.register_new_resolver("job_folder", job_folder, replace=True)
OmegaConf.register_new_resolver("described", described, replace=True)
RESUMABLE = ("cl_run", "distill")
NUMERICS = ("device", "precision", "deterministic")
"""The settings of ``configs/numerics.yaml``."""

EXIT_LOST, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130


def launch(config_name: str, task: Callable[[DictConfig, Path], None]) -> None:
    """Runs a script's task with the config that the command line describes.

    Args:
        config_name: a file of ``configs/``.
        task: called with the config and the run's folder.

    Exits with 2 and one sentence on wrong input, with 130 when interrupted, with 1 where another process of
    the same run has ended.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # let exceptions through to here
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what can be kept is kept
    _set_up()
    try:
        with distributed.processes(), one_tells():
            _launch(config_name, task)
    except distributed.Lost as error:  # when this one had come to its end
        _exit(EXIT_LOST, [f"error: {error}"])


def _launch(config_name: str, task: Callable[[DictConfig, Path], None]) -> None:
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
        except (InputError, OmegaConfBaseException, OSError) as error:
            if alone:
                print(f"error: {folders[-1]}: {sentence(error)}", file=sys.stderr)
                raise InputError(f"{folders[-1]}: {sentence(error)}") from None
            refused.append(error)  # a sweep's other jobs go on

    try:
        run()
    except (KeyboardInterrupt, distributed.Lost) as error:
        lost = isinstance(error, distributed.Lost)
        kept = _remove_empty(folders, start)
        where = f"; what is finished is in {kept[-1]}" if kept else ""
        if kept and config_name in RESUMABLE:
            where += f", and resume={kept[-1]} goes on"
        _exit(EXIT_LOST if lost else EXIT_INTERRUPTED, [f"{error if lost else 'interrupted'}{where}"])
    except (CompactHydraException, OmegaConfBaseException, OSError, InputError) as error:
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


def build(config: Any) -> Any:
    """Builds the object that a config describes.

    Raises:
        InputError: if a value does not fit; the constructor's own sentence where it has one.
    """
    try:
        return hydra.utils.instantiate(config, _convert_="all")
    except InstantiationException as error:
        raise InputError(sentence(error)) from error


def build_condenser(config: DictConfig) -> Any:
    """The condenser of a script's config, at its ``resolution``; None where there is none.

    Raises:
        InputError: if a value does not fit.
    """
    from cl3d.distill import at_resolution

    if "condenser" not in config:
        return None
    condenser = build(config.condenser)
    if config.get("resolution") is None:
        return condenser
    return at_resolution(condenser, whole(config, "resolution", 1))


def build_dataset(config: DictConfig) -> Any:
    """The data set of a script's config, with the clouds that ``configs/clouds.yaml`` asks for."""
    from cl3d.data.cache import derived
    from cl3d.data.variants import few_shot, long_tailed
    from cl3d.models import Rotator, canonical

    turn = flag(config, "canonical")
    dataset = build(config.data)
    if config.holdout is not None:
        dataset = dataset.hold_out(config.holdout)
    if config.imbalance is not None:
        dataset = long_tailed(dataset, config.imbalance)
    if config.shots is not None:
        dataset = few_shot(dataset, config.shots)
    if not turn:
        return dataset

    def turned() -> Any:
        train, test = (canonical(clouds, Rotator()) for clouds in (dataset.train, dataset.test))
        return replace(dataset, name=f"{dataset.name}, canonical", train=train, test=test)

    return derived(dataset, "canonical", turned)


@contextlib.contextmanager
def computing(config: DictConfig) -> Iterator[None]:
    """The precision and determinism that ``configs/numerics.yaml`` asks for.

    Raises:
        InputError: if the device does not have it.
    """
    if "precision" not in config:
        yield
        return
    from cl3d.distill import resolve_device
    from cl3d.numerics import check_precision, numerics

    with numerics(str(config.precision), flag(config, "deterministic")):
        check_precision(str(config.precision), resolve_device(str(config.device)))
        yield


def handed_on(config: DictConfig, groups: Sequence[str], names: Sequence[str]) -> list[str]:
    """This script's settings as another one's overrides.

    Args:
        groups: what the command line says of these, and of what stands in them, word for word.
        names: settings whose values are handed on, those that are null left out.
    """
    given = [
        text
        for text in HydraConfig.get().overrides.task
        if text.lstrip("+~").split("=")[0].split(".")[0].split("/")[0] in groups
    ]
    return given + [f"{name}={config[name]}" for name in names if config[name] is not None]


def whole(config: DictConfig, name: str, least: int) -> int:
    """A whole number of the config.

    Raises:
        InputError: if it is none, or below ``least``.
    """
    check_whole(name, config[name], least)
    return int(config[name])


def flag(config: DictConfig, name: str) -> bool:
    """True or false, from the config.

    Raises:
        InputError: if it is anything else.
    """
    value = config[name]
    if not isinstance(value, bool):
        raise InputError(f"{name}={value}: give true or false")
    return value


def budget(config: DictConfig) -> Any:
    """The budget that the config describes: ``ppc`` unless one of the others is set."""
    from cl3d.distill import Budget

    given = {
        name: config[name] for name in ("ppc", "ratio", "budget", "total") if config.get(name) is not None
    }
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name}={value}: give a number")
    ppc = given.pop("ppc", None)
    if len(given) > 1:
        named = " and ".join(f"{name}={value}" for name, value in given.items())
        raise InputError(f"{named} are given together: give one of them")
    if not given:
        return Budget(ppc=ppc)
    return Budget(**{"nbytes" if name == "budget" else name: value for name, value in given.items()})


def sentence(error: BaseException) -> str:
    """What went wrong, in one line; of a chain of exceptions the one that knows best."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        choices = ", ".join(sorted(error.options or ()))
        more = "; pip install cl3d[sweeps] brings more" if "launcher" in error.missing_cfg_file else ""
        return f"{error.missing_cfg_file} is not there: choose one of {choices}{more}"
    if isinstance(error, OverrideParseException):
        return f"{error.override} cannot be read: write key=value, and quote values with brackets or commas"
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Could not override" in lines[0]:
        lines = [lines[0].rstrip("."), "it is not a setting of this script: --help lists them"]
        return ": ".join(lines)
    return " ".join(line for line in lines if not line.startswith(("full_key:", "object_type=")))


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
