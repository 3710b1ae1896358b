"""What every loader ends with: from a source and keyword arguments to a data set."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Unpack

import torch

from cl3d.data.cache import Cache, cached, places
from cl3d.data.dataset import Dataset
from cl3d.data.prepare import prepare
from cl3d.data.rows import FileRows, MemoryRows, Rows
from cl3d.data.settings import SettingKeywords, Settings
from cl3d.data.source import Source, Tell, bad_files
from cl3d.errors import InputError, Note
from cl3d.progress import Progress, silent


class Options(SettingKeywords, total=False):
    """The keyword arguments that all loaders share, with those of :class:`cl3d.data.settings.Settings`.

    Attributes:
        cache: where prepared clouds are kept, False for nowhere; see :func:`cl3d.data.cache.places`.
        progress: told of the files while they are read.
        check: makes the loader read every file first; told of each that cannot be used.
    """

    cache: Cache
    progress: Progress
    check: Tell | None


def load(
    find: Callable[[], Source],
    *,
    cache: Cache = None,
    progress: Progress = silent,
    check: Tell | None = None,
    **settings: Unpack[SettingKeywords],
) -> Dataset:
    """The data set of a source: opened where it was prepared before, otherwise prepared and kept.

    Args:
        find: makes the source; called when the settings are known to be good.
        cache, progress, check: see :class:`Options`.
        settings: see :class:`cl3d.data.settings.Settings`.

    Raises:
        InputError: for wrong settings, a source that cannot be used, or a full disk.
    """
    wanted = Settings(**settings)
    source = find()
    if check is not None:
        _check(source, check, progress)
    key = {"source": source.describe(), "settings": asdict(wanted)}

    def make(folder: Path | None) -> Dataset:
        with ExitStack() as opened:

            def rows(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Rows:
                if folder is None:
                    return MemoryRows(shape, dtype)
                return opened.enter_context(closing(FileRows(folder / name, shape, dtype)))

            return prepare(source, wanted, rows, progress)

    dataset = cached(source.name, key, make, places(source.folder.parent, cache))
    copies = dataset.duplicates
    if copies is not None and copies.dropped and copies.test_in_train:
        dropped = f"{copies.test_in_train} of {len(dataset.test) + copies.test_in_train} test clouds"
        warnings.warn(f"{source.name}: dropped {dropped}, which stand in train", Note, stacklevel=3)
    return dataset


def _check(source: Source, tell: Tell, progress: Progress) -> None:
    bad, all_files = bad_files(source, tell, progress), len(source.train) + len(source.test)
    if bad:
        raise InputError(
            f"{bad} of {all_files} files of {source.name} cannot be used: repair, complete or remove them"
        )
