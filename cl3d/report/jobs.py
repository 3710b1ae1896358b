"""Many runs of the scripts, each in a process of its own; what is there already is not made again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from cl3d.errors import InputError, check_whole

SECONDS_TO_END = 8.0
"""What an interrupted script gets to write its checkpoint."""

INTERRUPTED = 130
"""The exit code of a script that was interrupted."""

POLL = 0.05
"""Seconds between looks at the processes."""


class JobsFailed(InputError):
    """Jobs have failed.

    Attributes:
        jobs: those, without others that needed them.
    """

    def __init__(self, message: str, jobs: Sequence[Job]) -> None:
        super().__init__(message)
        self.jobs = tuple(jobs)


@dataclass(frozen=True)
class Job:
    """One run of a script.

    Attributes:
        title: what to call it.
        script: its name, without ``.py``.
        settings: of the script; its ``folder=`` is that of ``product``.
        product: the file that it writes last: where that is there, the job is done.
        needs: a file that must be there before.
    """

    title: str
    script: str
    settings: tuple[str, ...]
    product: Path
    needs: Path | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to run."""
        return self.product.exists()

    @property
    def ready(self) -> bool:
        """Whether all is there that it needs."""
        return self.needs is None or self.needs.exists()

    def command(self) -> list[str]:
        """The script with its settings."""
        return [self.script, *self.settings, f"folder={quoted(self.product.parent)}"]


def distilling(title: str, condenser: str, settings: Sequence[str], folder: Path) -> Job:
    """A run of ``distill.py``.

    Args:
        condenser: a choice of ``condenser=``, followed by settings, which have the last word.
    """
    name, *changes = condenser.split()
    all_settings = (f"condenser={name}", *settings, *changes, "report=false")
    return Job(title, "distill", all_settings, folder / "synthetic.safetensors")


def evaluating(title: str, synthetic: Path | str, settings: Sequence[str], folder: Path) -> Job:
    """A run of ``evaluate.py`` on a set's file, or on ``data``."""
    which = quoted(synthetic) if isinstance(synthetic, Path) else synthetic
    needs = synthetic if isinstance(synthetic, Path) else None
    return Job(title, "evaluate", (*settings, f"set={which}"), folder / "evaluation.json", needs)


def run_jobs(
    jobs: Sequence[Job],
    scripts: Path,
    workers: int = 1,
    say: Callable[[str], None] = print,
    finished: Callable[[], None] = lambda: None,
) -> None:
    """Runs the jobs that are not done, in their order as far as what they need is there.

    With several workers each job writes what it tells to ``log.txt`` in its folder. Where a job fails, those
    that do not need its product go on.

    Args:
        scripts: the folder of the scripts.
        workers: processes at once; they share out the cores.
        say: told of each job that starts, in rich's markup.
        finished: called after each job that succeeded.

    Raises:
        JobsFailed: if jobs failed, when all others are done.
        KeyboardInterrupt: if this or a job was interrupted; all have been ended.
    """
    waiting = [job for job in jobs if not job.done]
    total, failed = len(waiting), dict[Job, str]()
    running: dict[Job, subprocess.Popen[bytes]] = {}
    try:
        while True:
            for job in [job for job in waiting if job.ready][: workers - len(running)]:
                waiting.remove(job)
                say(f"[bold]{total - len(waiting)}/{total} {escape(job.title)}: {job.script}[/bold]")
                running[job] = _start(scripts, job, workers)
            if not running:
                break
            for job, code in _wait(running).items():
                if code == 0:
                    finished()
                else:
                    log = "above" if workers == 1 else _log(job)
                    failed[job] = f"{job.title}: {job.script}.py stopped with {code} (see {log})"
    except KeyboardInterrupt:
        _end(list(running.values()))
        raise
    if failed or waiting:
        left = f"; {len(waiting)} that need them were not run" if waiting else ""
        told = "; ".join(failed.values()) + left
        raise JobsFailed(f"{told}: mend that, then run the same again", list(failed))


def listed(what: str, values: object, kind: type, example: str) -> None:
    """Refuses what is no list of different values.

    Raises:
        InputError: if it is none, it is empty, or a value is empty, of another kind, or there twice.
    """
    if not isinstance(values, list) or not values or any(type(v) is not kind for v in values):
        raise InputError(f"{what}={values}: give a list, e.g. {example}")
    names = [v.strip() if isinstance(v, str) else v for v in values]
    if "" in names or len({slug(str(name)) for name in names}) < len(names):
        raise InputError(f"{what}={values}: give each once, and none empty")


def seeds_of(value: object, what: str = "seeds") -> list[int]:
    """A list of seeds; a number stands for that many, from 0.

    Raises:
        InputError: if it is neither.
    """
    if type(value) is int and value > 0:
        return list(range(value))
    listed(what, value, int, "[0,1,2], or how many")
    assert isinstance(value, list)
    for seed in value:
        check_whole(what, seed, 0)
    return value


def slug(text: str) -> str:
    """A text as the name of a folder."""
    return re.sub(r"[^\w.-]+", "_", text)


def quoted(path: Path | str) -> str:
    """A path as Hydra reads it, whatever characters it has."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _start(scripts: Path, job: Job, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(scripts / f"{job.script}.py"), *job.command()[1:]]
    cores = max(1, (os.cpu_count() or 1) // workers)
    environment = {"OMP_NUM_THREADS": str(cores), **os.environ} if workers > 1 else dict(os.environ)
    with ExitStack() as files:
        log = None
        if workers > 1:
            _log(job).parent.mkdir(parents=True, exist_ok=True)
            log = files.enter_context(_log(job).open("ab"))
        # in a session of its own: it hears an interrupt once and from here, whoever sent it
        return subprocess.Popen(
            command, start_new_session=True, env=environment, stdout=log, stderr=log and subprocess.STDOUT
        )


def _log(job: Job) -> Path:
    return job.product.parent / "log.txt"


def _wait(running: dict[Job, subprocess.Popen[bytes]]) -> dict[Job, int]:
    """Takes out the jobs that have ended, at least one, and gives their exit codes."""
    ended: dict[Job, int] = {}
    while not ended:
        time.sleep(POLL)
        codes = {job: process.poll() for job, process in running.items()}
        ended = {job: code for job, code in codes.items() if code is not None}
    for job in ended:
        del running[job]
    if INTERRUPTED in ended.values():
        raise KeyboardInterrupt
    return ended


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()  # heard as Ctrl-C, also where that is ignored, as in a background job
    deadline = time.monotonic() + SECONDS_TO_END
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
