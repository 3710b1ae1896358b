"""A disk of a few kilobytes: a real one where it can be mounted, a simulated one elsewhere."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A folder that holds ``kilobytes`` at most, and may be closed for writing."""

    def __init__(self, folder: Path, kilobytes: int) -> None:
        self.folder, self.kilobytes, self.closed = folder, kilobytes, False

    def change(self, *, kilobytes: int | None = None, closed: bool | None = None) -> None:
        """Makes it larger or smaller, closes or opens it."""
        self.kilobytes = self.kilobytes if kilobytes is None else kilobytes
        self.closed = self.closed if closed is None else closed


class Mounted(SmallDisk):
    """A tmpfs."""

    def mount(self) -> bool:
        """Whether it could be mounted."""
        return _call("mount", "-t", "tmpfs", "-o", f"size={self.kilobytes}k", "tmpfs", str(self.folder))

    def change(self, *, kilobytes: int | None = None, closed: bool | None = None) -> None:
        super().change(kilobytes=kilobytes, closed=closed)
        mode = "ro" if self.closed else "rw"
        assert _call("mount", "-o", f"remount,{mode},size={self.kilobytes}k", str(self.folder))

    def unmount(self) -> None:
        """Gives the mount point back."""
        assert _call("umount", "--lazy", str(self.folder))


class Simulated(SmallDisk):
    """Refuses what the library's writing asks for once the folder is full or closed."""

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stands in for the calls through which files are written."""
        make, sync = tempfile.mkstemp, os.fsync

        def mkstemp(*args, **kwargs):
            if self.closed:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return make(*args, **kwargs)

        def fsync(handle):
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            if sum(-(-path.stat().st_size // 4096) * 4 for path in files) > self.kilobytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(handle)

        patch.setattr(tempfile, "mkstemp", mkstemp)
        patch.setattr(os, "fsync", fsync)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[SmallDisk]:
    """A disk at ``folder``, which is made."""
    folder.mkdir()
    mounted = Mounted(folder, kilobytes)
    if mounted.mount():
        try:
            yield mounted
        finally:
            mounted.unmount()
        return
    with simulated_disk(folder, kilobytes) as disk:
        yield disk


@contextmanager
def simulated_disk(folder: Path, kilobytes: int) -> Iterator[SmallDisk]:
    """The same without a mount."""
    folder.mkdir(exist_ok=True)
    disk = Simulated(folder, kilobytes)
    with pytest.MonkeyPatch.context() as patch:
        disk.install(patch)
        yield disk


def _call(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
