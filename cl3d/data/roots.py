"""Where data sets live on disk, and whether there is room for one more."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch

from cl3d.errors import InputError

ENVIRONMENT_VARIABLE = "CL3D_DATA"
"""Names the data root where no ``root`` is given."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


class DiskFullError(InputError):
    """The disk has no room for what is being written; what was read before is not at fault."""


def data_root(root: str | Path | None = None) -> Path:
    """The folder that holds the data sets: ``root``, else ``$CL3D_DATA``, else the user's cache folder."""
    chosen = root or os.environ.get(ENVIRONMENT_VARIABLE) or pooch.os_cache("cl3d")
    return given_path("root", chosen)


def given_path(name: str, value: object) -> Path:
    """The path that a setting gives.

    Raises:
        InputError: if it is no path. A command line takes a bare number for one, and ``007`` for 7.
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{name}={value} is no path: write a folder that is named by a number as ./{value}")
    return Path(value).expanduser()


def place(folder_name: str, root: str | Path | None = None) -> Path:
    """Where the release ``folder_name`` belongs: inside the data root, unless the root is that folder."""
    base = data_root(root)
    return base if base.name == folder_name else base / folder_name


def find(folder_name: str, marker: str | None, root: str | Path | None = None) -> Path | None:
    """Looks for a release in the data root.

    Args:
        folder_name: the release's folder, e.g. ``"modelnet40_ply_hdf5_2048"``.
        marker: a file of the release, by which a renamed folder is known; None where there is none.
        root: the folder that contains the release's folder, or that folder itself.

    Returns:
        The release's folder, or None where there is none. Its content is not checked.
    """
    inside = place(folder_name, root)
    if inside.is_dir() and any(inside.iterdir()):
        return inside
    base = data_root(root)
    return base if marker is not None and (base / marker).is_file() else None


@contextmanager
def room_for(folder: Path, size: int) -> Iterator[None]:
    """Guards a block that writes ``size`` bytes below ``folder``, which exists.

    Raises:
        DiskFullError: before the block if the disk has less room, or when it turns full meanwhile.
    """
    if shutil.disk_usage(folder).free < size:
        raise _full(folder, size)
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise _full(folder, size) from error
        raise


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk, or the user's share of it, is full."""
    return error.errno in _FULL


def _full(folder: Path, size: int) -> DiskFullError:
    return DiskFullError(
        f"the disk of {folder} is full: {size:,} bytes are needed; "
        f"free some, or choose another folder with root or {ENVIRONMENT_VARIABLE}"
    )
