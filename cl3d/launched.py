"""What a script keeps to whose processes torchrun has started."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from hydra.core.hydra_config import HydraConfig

from cl3d import distributed
from cl3d.errors import InputError

SHARED_OUT = ("cl_run", "distill", "evaluate")
"""Scripts that several processes may run together."""


def check_shared(script: str) -> None:
    """Refuses what several processes cannot run together.

    Raises:
        InputError: if the script is one process's, or a restart would not find what there is.
    """
    if distributed.world() < distributed.launched():  # in a process that a launcher of Hydra's has started
        raise InputError("torchrun and hydra/launcher= are given together: give one of them")
    if distributed.world() == 1:
        return
    if script not in SHARED_OUT:
        raise InputError(f"{script}.py is one process: start it with python, and give workers= for more")
    named = any(text.startswith(("folder=", "resume=")) for text in HydraConfig.get().overrides.task)
    if int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0")) and not named:
        raise InputError("--max-restarts without folder=: a restart would not find the run: give folder=")


@contextmanager
def gone_when_done() -> Iterator[None]:
    """Ends a process that torchrun has started with the block, and does not take the interpreter down.

    Threads of the backend may still be at work then, and abort a process that has done all it had to.
    """
    try:
        yield
    except SystemExit as end:
        _leave(end.code)
        raise
    _leave(0)


def _leave(code: str | int | None) -> None:
    """Leaves with the code of a ``SystemExit``, if this is one of several processes."""
    if "RANK" not in os.environ or os.environ.get("WORLD_SIZE", "1") == "1":
        return
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()  # loggers and temporary folders are closed by them
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(code, str) else code or 0)


@contextmanager
def one_tells() -> Iterator[None]:
    """Of a run's processes the first alone writes to standard output."""
    if distributed.is_main():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield
