"""Clouds and labels from HDF5 files with the datasets ``data`` and ``label``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.array_files import Array, Hdf5, described
from cl3d.data.usable import check_usable
from cl3d.errors import InputError


def read_file(path: Path, num_classes: int) -> PointClouds:
    """Reads the clouds of one file as stored.

    Args:
        path: an HDF5 file with ``data``, float32 (n, P, 3) with P at least 1, and ``label``, integers
            (n, 1) or (n,).
        num_classes: labels lie in [0, num_classes).

    Returns:
        points float32 (n, P, 3), labels int64 (n,).

    Raises:
        InputError: naming the file, and the cloud in it where one is at fault, if the file is absent,
            truncated or corrupt, lacks a dataset, has another dtype or shape, has labels out of
            range, or clouds that are not finite or empty.
    """
    data, label = _read(path)
    if data.dtype != np.float32 or data.ndim != 3 or data.shape[2] != 3:
        raise _mismatch(path, "data", data, "float32 of shape (clouds, points, 3)")
    if label.dtype.kind not in "iu" or label.shape not in ((len(data),), (len(data), 1)):
        raise _mismatch(path, "label", label, f"integers of shape ({len(data)}, 1) or ({len(data)},)")
    clouds = PointClouds(torch.from_numpy(data), torch.from_numpy(label.astype(np.int64).reshape(-1)))
    check_usable(clouds, str(path))
    _check_labels(path, clouds.labels, num_classes)
    return clouds


def _read(path: Path) -> tuple[Array, Array]:
    if not path.is_file():
        raise InputError(f"{path} does not exist: complete the release, or remove its folder to download it")
    file = Hdf5(path)
    missing = [key for key in ("data", "label") if key not in file.keys]
    if missing:
        raise InputError(f"{path} has no dataset {missing[0]!r}: a file of clouds has 'data' and 'label'")
    return file.array("data"), file.array("label")


def _check_labels(path: Path, labels: torch.Tensor, num_classes: int) -> None:
    outside = ((labels < 0) | (labels >= num_classes)).nonzero()
    if len(outside):
        first = int(outside[0])
        raise InputError(
            f"{path}: cloud {first} has label {int(labels[first])}, but there are {num_classes} class names: "
            "labels index the names, from 0, so repair the file or the names"
        )


def _mismatch(path: Path, key: str, array: Array, wanted: str) -> InputError:
    return InputError(f"{path}: {key!r} is {described(array)}; give {wanted}")
