"""Part-labelled clouds as HDF5, in the layout of ShapeNetPart: lists of files, each with ``pid``, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.array_files import Array, Hdf5, described
from cl3d.data.hdf5 import read_file
from cl3d.data.lists import read_lines
from cl3d.data.source import Source, SourceFile
from cl3d.errors import InputError

CATEGORIES = "all_object_categories.txt"
"""Lists the classes in label order, each with an id behind its name."""


def list_name(split: str) -> str:
    """The file that lists the files of a split, ``"train"``, ``"val"`` or ``"test"``."""
    return f"{split}_hdf5_file_list.txt"


def source(
    name: str,
    folder: Path,
    class_names: Sequence[str],
    parts: Sequence[tuple[str, str]],
    train_lists: Sequence[str] = ("train",),
) -> Source:
    """The clouds of the files that the lists name.

    Args:
        name: of the data set.
        folder: with the lists and the files.
        class_names: in label order.
        parts: the class and the name of each part, in the order of the part labels.
        train_lists: the splits that are trained on.

    Raises:
        InputError: naming a list that cannot be read.
    """
    owners = torch.tensor([class_names.index(owner) for owner, _ in parts])
    lists = [folder / list_name(split) for split in (*train_lists, "test")]
    # the lists may give each file with the folders it had where the release was made
    files = [[folder / PurePosixPath(line).name for line in read_lines(path)] for path in lists]
    as_sources = [
        [SourceFile(path, partial(_read, path, len(class_names), owners)) for path in paths]
        for paths in files
    ]
    return Source(
        name=name,
        folder=folder,
        train=[file for split in as_sources[:-1] for file in split],
        test=as_sources[-1],
        class_names=tuple(class_names),
        part_names=tuple(f"{owner}/{part}" for owner, part in parts),
        others=[*lists, folder / CATEGORIES],
    )


def read_categories(folder: Path) -> list[str]:
    """The class names in label order.

    Raises:
        InputError: if the list cannot be read.
    """
    return [line.split()[0] for line in read_lines(folder / CATEGORIES)]


def read_parts(path: Path, num_classes: int, owners: torch.Tensor) -> PointClouds:
    """Reads the clouds of one file with the part of each point.

    Args:
        path: an HDF5 file with ``data``, float32 (n, P, 3), ``label``, integers (n, 1) or (n,), and
            ``pid``, integers (n, P).
        num_classes: labels lie in [0, num_classes).
        owners: (parts,) int64, the class that each part belongs to.

    Returns:
        points float32 (n, P, 3), labels int64 (n,), parts int64 (n, P).

    Raises:
        InputError: as :func:`cl3d.data.hdf5.read_file`, and naming the first cloud with a part that is
            none, or one of another class.
    """
    clouds = read_file(path, num_classes)
    stored = _read_pid(path, tuple(clouds.points.shape[:2]))
    parts = torch.from_numpy(stored.astype(np.int64))
    check_owners(path, parts, clouds.labels, owners)
    return PointClouds(clouds.points, clouds.labels, parts)


def _read(path: Path, num_classes: int, owners: torch.Tensor) -> Iterator[PointClouds]:
    yield read_parts(path, num_classes, owners)


def _read_pid(path: Path, shape: tuple[int, ...]) -> Array:
    file = Hdf5(path)
    if "pid" not in file.keys:
        raise InputError(f"{path} has no dataset 'pid', the part of each point: give a file with part labels")
    pid = file.array("pid")
    if pid.dtype.kind not in "iu" or pid.shape != shape:
        raise InputError(f"{path}: 'pid' is {described(pid)}; give integers of shape {shape}")
    return pid


def check_owners(
    path: Path,
    parts: torch.Tensor,
    labels: torch.Tensor,
    owners: torch.Tensor,
    positions: Sequence[int] | None = None,
) -> None:
    """Refuses a part that is none, or one of another class than its cloud's.

    Args:
        path: of the file, for the message.
        parts: (n, p) int64.
        labels: (n,) int64.
        owners: (parts,) int64, the class that each part belongs to.
        positions: the number of each cloud in the file; 0, 1, ... if not given.

    Raises:
        InputError: naming the first such point.
    """
    known = (parts >= 0) & (parts < len(owners))
    wrong = ~known | (owners[parts.clamp(0, len(owners) - 1)] != labels.unsqueeze(1))
    if bool(wrong.any()):
        cloud, point = wrong.nonzero()[0].tolist()
        place = cloud if positions is None else positions[cloud]
        own = (owners == labels[cloud]).nonzero().squeeze(1).tolist()
        raise InputError(
            f"{path}: point {point} of cloud {place} has part {int(parts[cloud, point])}, but the parts of "
            f"its class {int(labels[cloud])} are {own}: repair the file or get it again"
        )
