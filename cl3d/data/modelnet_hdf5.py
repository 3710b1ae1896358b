"""ModelNet40 as HDF5: the release of sampled points by the authors of PointNet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from cl3d.clouds import PointClouds
from cl3d.data.download import Release
from cl3d.data.hdf5 import read_file
from cl3d.data.lists import read_lines
from cl3d.data.source import Source, SourceFile

RELEASE = Release(
    title="ModelNet40",
    folder="modelnet40_ply_hdf5_2048",
    url="https://shapenet.cs.stanford.edu/media/modelnet40_ply_hdf5_2048.zip",
    page="https://modelnet.cs.princeton.edu",
    files={
        "train_files.txt": None,
        "test_files.txt": None,
        "shape_names.txt": None,
        "ply_data_train0.h5": "3176385ffc31a7b6b5af22191fd920d1",
        "ply_data_train1.h5": "e3f613fb500559403b34925112754dc4",
        "ply_data_train2.h5": "0c56e233a090ff87c3049d4ce08e7d8b",
        "ply_data_train3.h5": "9d2af465adfa33a3285c369f3ca66c45",
        "ply_data_train4.h5": "dff38de489b2c41bfaeded86c2208984",
        "ply_data_test0.h5": "e9732e6d83b09e79e9a7617df058adee",
        "ply_data_test1.h5": "aba4b12a67c34391cc3c015a6f08ed4b",
    },
    max_bytes=4 << 30,
)
"""The release as published, with 2,048 points per cloud."""


def source(folder: Path) -> Source:
    """The clouds of the files that ``train_files.txt`` and ``test_files.txt`` list.

    Raises:
        InputError: naming a list that cannot be read.
    """
    names = tuple(read_lines(folder / "shape_names.txt"))
    train, test = (
        [_file(folder / PurePosixPath(line).name, len(names)) for line in read_lines(folder / name)]
        # the lists may give each file with the folders it had where the release was made
        for name in ("train_files.txt", "test_files.txt")
    )
    return Source(
        name="modelnet40",
        folder=folder,
        train=train,
        test=test,
        class_names=names,
        others=[folder / name for name in ("shape_names.txt", "train_files.txt", "test_files.txt")],
        per_file=False,  # as drawn in the first release of this library: published figures stay
    )


def _file(path: Path, num_classes: int) -> SourceFile:
    return SourceFile(path, partial(_read, path, num_classes))


def _read(path: Path, num_classes: int) -> Iterator[PointClouds]:
    yield read_file(path, num_classes)
