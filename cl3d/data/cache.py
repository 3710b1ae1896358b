"""Prepared data sets on disk: memory-mapped, so that a later start takes no time and workers share pages.

A folder per data set, named by what it was made from: ``train_points.npy`` and so on, and ``cache.json``,
which tells the sources' fingerprint, the settings, the names and the arrays. Other sources or settings
give another folder; the old one stays until somebody removes it, which is always safe.
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
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import filelock
import numpy as np
import pooch
import torch

from cl3d.clouds import PointClouds
from cl3d.data.dataset import Dataset
from cl3d.data.duplicates import Duplicates
from cl3d.data.roots import DiskFullError, is_full
from cl3d.data.rows import write_through
from cl3d.errors import Note

ENVIRONMENT_VARIABLE = "CL3D_CACHE"
"""Names the folder of prepared data sets where no ``cache`` is given."""

FORMAT = 1
"""Raised when the same sources and settings come to give other bytes, or the files change."""

FOLDER = "prepared"
DESCRIPTION = "cache.json"
_BRIEFLY = 1.0

Cache: TypeAlias = str | Path | bool | None
"""A folder, or False for none; True and None for the usual ones, see :func:`places`."""


class _Damaged(Exception):
    """A prepared data set is not what its description says."""


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
        return [Path(given).expanduser()]
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
            return _open(folder / entry, whole)
        except (FileNotFoundError, _Damaged):
            continue
    place = next((folder for folder in folders if _writable(folder)), None)
    if place is None:
        if folders:
            tried = " nor to ".join(map(str, folders))
            note = f"{name} is prepared for this run alone, as nothing can be written to {tried}"
            warnings.warn(f"{note}: give another folder by cache= or {ENVIRONMENT_VARIABLE}", Note, 3)
        return make(None)
    with _locked(place / f"{entry}.lock", name):
        try:
            return _open(place / entry, whole)  # another process may have made it meanwhile
        except FileNotFoundError:
            pass
        except _Damaged as damage:
            warnings.warn(f"{place / entry} is damaged ({damage}): prepared again", Note, stacklevel=3)
        _write(place / entry, whole, make)
        return _open(place / entry, whole)


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


def _open(folder: Path, key: Mapping[str, Any]) -> Dataset:
    """Maps a prepared data set; FileNotFoundError where there is none."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if told["key"] != key:
            raise _Damaged(f"{DESCRIPTION} describes another data set")
        arrays = {name: _map(folder / name, *told["arrays"][name]) for name in told["arrays"]}
        train, test = (
            PointClouds(
                arrays[f"{split}_points.npy"],
                arrays[f"{split}_labels.npy"].clone(),
                arrays.get(f"{split}_parts.npy"),
            )
            for split in ("train", "test")
        )
        if [_checksum(train), _checksum(test)] != told["labels"]:
            raise _Damaged("labels have changed")
        return Dataset(
            told["name"],
            train,
            test,
            class_names=tuple(told["class_names"]),
            part_names=tuple(told["part_names"]),
            duplicates=None if told["duplicates"] is None else Duplicates(**told["duplicates"]),
            prepared=folder,
        )
    # json, numpy and Dataset each say in their own way that something is missing or does not fit
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _Damaged(str(error)) from error


def _map(path: Path, shape: Sequence[int], dtype: str, nbytes: int) -> torch.Tensor:
    if path.stat().st_size != nbytes:
        raise _Damaged(f"{path.name} has {path.stat().st_size} bytes instead of {nbytes}")
    # copy on write: torch warns of arrays that cannot be written to, and the file stays as it is
    array = np.load(path, mmap_mode="c")
    if list(array.shape) != list(shape) or str(array.dtype) != dtype:
        raise _Damaged(f"{path.name} is {array.dtype} of shape {array.shape}")
    return torch.from_numpy(array)


def _write(folder: Path, key: Mapping[str, Any], make: Callable[[Path | None], Dataset]) -> None:
    """Makes the data set in a folder beside and renames that: ``folder`` is whole or absent."""
    staging = folder.with_name(f"{folder.name}.preparing")
    # what a killed process left; the lock keeps out living ones
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        _describe(staging, key, make(staging))
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


def _describe(folder: Path, key: Mapping[str, Any], dataset: Dataset) -> None:
    """Writes the arrays that are not there yet, and last the description."""
    arrays = {}
    for split, clouds in (("train", dataset.train), ("test", dataset.test)):
        for field in ("points", "labels", "parts"):
            tensor, path = getattr(clouds, field), folder / f"{split}_{field}.npy"
            if tensor is None:
                continue
            if not path.exists():
                np.save(path, tensor.numpy())
            write_through(path)
            dtype = str(tensor.dtype).removeprefix("torch.")
            arrays[path.name] = [list(tensor.shape), dtype, path.stat().st_size]
    told = {
        "name": dataset.name,
        "class_names": dataset.class_names,
        "part_names": dataset.part_names,
        "duplicates": None if dataset.duplicates is None else asdict(dataset.duplicates),
        "arrays": arrays,
        "labels": [_checksum(dataset.train), _checksum(dataset.test)],
        "key": key,
    }
    path = folder / DESCRIPTION
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    write_through(path)


def _checksum(clouds: PointClouds) -> str:
    return hashlib.blake2b(clouds.labels.numpy().tobytes(), digest_size=16).hexdigest()


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
