"""One process per folder; or those of one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import filelock

from cl3d.distributed import by_main
from cl3d.errors import InputError

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"

SECONDS_FOR_LOOKS = 0.2
"""How long a lock is asked for: who only looks whether it is free has it for an instant."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other runs' processes out of a run's folder; the lock ends with the process, however that ends.

    Raises:
        InputError: if another process has it, or it cannot be written to.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=SECONDS_FOR_LOOKS)
    by_main(partial(_acquire, lock, folder))
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: filelock.BaseFileLock, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"{folder} is in use by another process: wait for it, or give another folder"
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot write {folder} ({error.strerror or error}): free space or choose a writable folder"
        ) from error


def in_use(folder: Path) -> bool:
    """Whether a process has a run's folder; looking changes nothing in it."""
    if fcntl is None:
        return _held(folder)
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(
                file, fcntl.LOCK_SH | fcntl.LOCK_NB
            )  # for a moment, which a run that begins waits for
    except BlockingIOError:
        return True
    except OSError:  # there is none, or it is not for us to read
        return False
    return False


def _held(folder: Path) -> bool:
    """The same on systems that are not POSIX."""
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    if not (folder / LOCK).exists():
        return False
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    lock.release()
    return False
