"""One process per folder; or those of one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import filelock

from cl3d.distributed import by_main
from cl3d.errors import InputError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other runs' processes out of a run's folder; the lock ends with the process, however that ends.

    Raises:
        InputError: if another process has it, or it cannot be written to.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=0)
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
    """Whether a process has a run's folder."""
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    if not (folder / LOCK).exists():
        return False
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    lock.release()
    return False
