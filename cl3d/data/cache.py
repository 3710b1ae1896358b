"""Prepared data sets on disk: memory-mapped, so that a later start takes no time and workers share pages.

A folder per data set, named by what it was made from: ``train_points.npy`` and so on, and ``cache.json``,
which tells the sources' fingerprint, the settings, the names and the arrays, each with its checksum. Other
sources or settings give another folder; the old one stays until somebody removes it, which is always safe.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import filelock
import pooch

from cl3d.data.dataset import Dataset
from cl3d.data.prepared import Damaged, describe, open_folder
from cl3d.data.roots import DiskFullError, given_path, is_full
from cl3d.errors import Note

ENVIRONMENT_VARIABLE = "CL3D_CACHE"
"""Names the folder of prepared data sets where no ``cache`` is given."""

FORMAT = 2
"""Raised when the same sources and settings come to give other bytes, or the files change."""

FOLDER = "prepared"
STAGING = ".preparing"
"""Ends the name of a folder that is being written; it is renamed when it is whole."""

_BRIEFLY = 1.0

Cache: TypeAlias = str | Path | bool | None
"""A folder, or False for none; True and None for the usual ones, see :func:`places`."""


def places(beside: Path, cache: Cache = None) -> list[Path]:
    """The folders where prepared data sets are looked for; a new one is put in the first writable.

    Args:
        beside: the folder that the release's own lies in.
        cache: a folder, the only one then; False for none. Otherwise that of ``$CL3D_CACHE``, else
            ``prepared`` in ``beside``, and in the user's cache folder where that is read-only.
    """
    if cache is False:
        return []
    given = os.environ.get(ENVIRONMENT_VARIABLE) if cache is None or cache is True else cache
    if given:
        return [given_path("cache", given)]
    return [beside / FOLDER, Path(pooch.os_cache("cl3d")) / FOLDER]


def cached(
    name: str,
    key: Mapping[str, Any],
    make: Callable[[Path | None], Dataset],
    folders: Sequence[Path],
) -> Dataset:
    """A data set, opened where it is prepared, and otherwise made and kept.

    Of several processes one makes it, and the others wait for it. A process that is killed meanwhile
    leaves nothing that is taken for good.

    Args:
        name: of the data set; begins the folder's name.
        key: all that decides what the data set is, as JSON takes it.
        make: makes it, in memory if given None. Given a folder it may have written arrays there:
            ``train_points.npy``, ``train_parts.npy`` and those of test.
        folders: where to look, see :func:`places`; made in memory if none can be written to.

    Raises:
        DiskFullError: if the disk turns full; nothing is left behind.
    """
    whole = json.loads(json.dumps({"format": FORMAT, **key}))
    digest = hashlib.blake2b(json.dumps(whole, sort_keys=True).encode(), digest_size=8).hexdigest()
    entry = re.sub(r"[^\w.-]+", "_", name) + f"-{digest}"
    for folder in folders:
        try:
            return open_folder(folder / entry, whole)
        except (FileNotFoundError, Damaged):
            continue
    place = next((folder for folder in folders if _writable(folder)), None)
    if place is None:
        if folders:
            tried = " nor to ".join(map(str, folders))
            note = f"{name} is prepared for this run alone, as nothing can be written to {tried}"
            warnings.warn(f"{note}: give another folder by cache= or {ENVIRONMENT_VARIABLE}", Note, 3)
        return make(None)
    with _locked(_lock_of(place / entry), name):
        try:
            return open_folder(place / entry, whole)  # another process may have made it meanwhile
        except FileNotFoundError:
            pass
        except Damaged as damage:
            warnings.warn(f"{place / entry} is damaged ({damage}): prepared again", Note, stacklevel=3)
        _write(place / entry, whole, make)
        return open_folder(place / entry, whole)


def derived(dataset: Dataset, how: str, make: Callable[[], Dataset]) -> Dataset:
    """What is made from a prepared data set, kept beside it; made anew from one that is not prepared.

    Args:
        how: names what ``make`` does, with all its settings.
        make: makes it in memory.
    """
    if dataset.prepared is None:
        return make()
    key = {"from": dataset.fingerprint(), "how": how}
    return cached(f"{dataset.name}, {how}", key, lambda folder: make(), [dataset.prepared.parent])


def _write(folder: Path, key: Mapping[str, Any], make: Callable[[Path | None], Dataset]) -> None:
    """Makes the data set in a folder beside and renames that: ``folder`` is whole or absent."""
    staging = folder.with_name(f"{folder.name}{STAGING}")
    # what a killed process left; the lock keeps out living ones
    shutil.rmtree(staging, ignore_errors=True)
    _remove_left(folder.parent)
    try:
        staging.mkdir()
        describe(staging, key, make(staging))
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        staging.rename(folder)
    except OSError as error:
        if is_full(error):
            raise DiskFullError(
                f"the disk of {folder.parent} is full: free some space, choose another folder by cache= or "
                f"{ENVIRONMENT_VARIABLE}, or do without by cache=false"
            ) from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    """Removes what killed processes left of other data sets, which nobody may ask for again."""
    for staging in folder.glob(f"*{STAGING}"):
        lock = filelock.FileLock(_lock_of(staging.with_name(staging.name.removesuffix(STAGING))))
        try:
            with lock.acquire(timeout=0):  # a living process holds it
                shutil.rmtree(staging, ignore_errors=True)
        except (filelock.Timeout, OSError):
            continue


def _writable(folder: Path) -> bool:
    """Whether files can be put into the folder, which is made where it is absent."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        return False  # marked read-only, which does not stop an administrator
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=_BRIEFLY)
    except filelock.Timeout:
        warnings.warn(f"another process prepares {name}: waiting for it", Note, stacklevel=4)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
