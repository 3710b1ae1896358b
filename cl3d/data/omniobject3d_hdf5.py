"""OmniObject3D's clouds as HDF5: a file per class, whose clouds bear no names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.array_files import Hdf5, described
from cl3d.data.source import SourceFile
from cl3d.data.splits import chosen_for_test
from cl3d.data.usable import check_usable
from cl3d.errors import InputError


def count_clouds(folder: Path, resolution: int) -> dict[str, int]:
    """How many clouds each class has, ``<class>_<resolution>.hdf5`` with ``data``, floats (n, resolution, 3).

    Raises:
        InputError: if there are no such files, or naming each that has no such array.
    """
    counts, bad = {}, []
    for path in sorted(folder.glob(f"[!.]*_{resolution}.hdf5")):
        try:
            counts[path.name.removesuffix(f"_{resolution}.hdf5")] = _count(path)
        except InputError as error:
            bad.append(str(error))
    if bad:
        raise InputError("\n".join(bad))
    if not counts:
        raise InputError(f"{folder} has no files <class>_{resolution}.hdf5: complete the release")
    return counts


def _count(path: Path) -> int:
    file = Hdf5(path)
    shape = file.shape("data") if "data" in file.keys else ()
    if len(shape) != 3 or shape[2] != 3 or shape[0] == 0:
        raise InputError(f"{path} has no dataset 'data' of shape (clouds, points, 3): get it again")
    return shape[0]


def split_clouds(
    folder: Path, resolution: int, counts: dict[str, int], shares: Sequence[int], seed: int
) -> tuple[list[SourceFile], list[SourceFile]]:
    """Splits the clouds of each class, which are keyed by their class and position.

    Args:
        counts: the classes and how many clouds they have.
        shares: how many of them are for testing.
        seed: any integer.

    Returns:
        The files of train and of test, with some of their clouds each.
    """
    train: list[SourceFile] = []
    test: list[SourceFile] = []
    for label, ((name, count), share) in enumerate(zip(counts.items(), shares, strict=True)):
        path = folder / f"{name}_{resolution}.hdf5"
        keys = [f"{name}/{position}" for position in range(count)]
        chosen = chosen_for_test(keys, share, seed)
        in_test = np.array([key in chosen for key in keys])
        for files, rows in ((train, (~in_test).nonzero()[0]), (test, in_test.nonzero()[0])):
            if len(rows):
                files.append(SourceFile(path, partial(_read, path, label, count, rows), label))
    return train, test


def _read(
    path: Path, label: int, count: int, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[PointClouds]:
    stored = Hdf5(path).array("data")
    if stored.dtype.kind != "f" or stored.shape != (count, *stored.shape[1:2], 3):
        raise InputError(f"{path}: 'data' is {described(stored)}; give floats of shape ({count}, points, 3)")
    with np.errstate(all="ignore"):  # too large ones become infinite, and are refused
        points = torch.from_numpy(stored[rows].astype(np.float32))
    clouds = PointClouds(points, torch.full((len(rows),), label))
    check_usable(clouds, str(path), rows.tolist())  # counted as in the file
    yield clouds
