"""The files of one prepared data set: arrays to map, and a description with the checksum of each.

Every start checks all bytes. It reads all of them anyway, to refuse clouds that are not finite, and CRC-32
goes through a gigabyte in about a second; what it is there for are damaged disks and half-copied folders,
not forgers.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.dataset import Dataset
from cl3d.data.duplicates import Duplicates
from cl3d.data.rows import write_through

DESCRIPTION = "cache.json"


class Damaged(Exception):
    """A prepared data set is not what its description says."""


def open_folder(folder: Path, key: Mapping[str, Any]) -> Dataset:
    """Maps a prepared data set.

    Args:
        folder: of the data set.
        key: what it was made from.

    Raises:
        FileNotFoundError: if there is none.
        Damaged: if a file is missing or has changed, or the data set is another.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if told.pop("checksum") != _checksum(told):
            raise Damaged(f"the content of {DESCRIPTION} has changed")
        if told["key"] != key:
            raise Damaged(f"{DESCRIPTION} describes another data set")
        arrays = {name: _map(folder / name, *told["arrays"][name]) for name in told["arrays"]}
        train, test = (
            PointClouds(
                arrays[f"{split}_points.npy"],
                arrays[f"{split}_labels.npy"].clone(),
                arrays.get(f"{split}_parts.npy"),
            )
            for split in ("train", "test")
        )
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
        raise Damaged(str(error)) from error


def _map(path: Path, shape: Sequence[int], dtype: str, nbytes: int, checksum: int) -> torch.Tensor:
    if path.stat().st_size != nbytes:
        raise Damaged(f"{path.name} has {path.stat().st_size} bytes instead of {nbytes}")
    # copy on write: torch warns of arrays that cannot be written to, and the file stays as it is
    array = np.load(path, mmap_mode="c")
    if list(array.shape) != list(shape) or str(array.dtype) != dtype:
        raise Damaged(f"{path.name} is {array.dtype} of shape {array.shape}")
    if zlib.crc32(array) != checksum:
        raise Damaged(f"the content of {path.name} has changed")
    return torch.from_numpy(array)


def describe(folder: Path, key: Mapping[str, Any], dataset: Dataset) -> None:
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
            checksum = zlib.crc32(tensor.contiguous().numpy())
            arrays[path.name] = [list(tensor.shape), dtype, path.stat().st_size, checksum]
    told = {
        "name": dataset.name,
        "class_names": dataset.class_names,
        "part_names": dataset.part_names,
        "duplicates": None if dataset.duplicates is None else asdict(dataset.duplicates),
        "arrays": arrays,
        "key": key,
    }
    path = folder / DESCRIPTION
    path.write_text(json.dumps(told | {"checksum": _checksum(told)}, indent=1), encoding="utf-8")
    write_through(path)


def _checksum(told: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())
