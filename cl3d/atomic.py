"""Files that are either whole or not there; of a run's processes one alone writes."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from pathlib import Path

from cl3d.distributed import is_main
from cl3d.errors import InputError

try:
    import fcntl
except ImportError:  # not a POSIX system: what killed processes leave stays
    fcntl = None  # type: ignore[assignment]


def write_bytes(path: Path, data: bytes) -> None:
    """Writes ``data`` to a temporary file beside ``path`` and renames it.

    Temporary files that killed writers of the same path left are removed. Where a run has several processes,
    only the first of them writes; for the others this is nothing.

    Raises:
        InputError: if it cannot be written (disk full, folder not writable); nothing is left behind.
    """
    if not is_main():
        return
    path = Path(path)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path)
        handle, temporary = _temporary(path)
        with os.fdopen(handle, "wb") as file:  # closed last, as its lock ends then
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()  # such systems rename no open file
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        raise InputError(
            f"cannot write {path} ({error.strerror or error}): free space or choose a writable folder"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text; see :func:`write_bytes`."""
    write_bytes(path, text.encode())


def remove(path: Path) -> None:
    """Removes a file where there is one, as alone the process that writes it may; see :func:`write_bytes`."""
    if is_main():
        path.unlink(missing_ok=True)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside ``path``, locked as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with contextlib.suppress(OSError):  # some network disks know no locks
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # not removed before it was locked
            return handle, name
        os.close(handle)


def _remove_left(path: Path) -> None:
    """Removes temporary files of ``path`` that no living process has locked."""
    if fcntl is None:
        return
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with contextlib.suppress(OSError), left.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
