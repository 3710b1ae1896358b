"""ModelNet40 and ModelNet10 (Wu et al., CVPR 2015) from the HDF5 release of sampled points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import torch

from cl3d.clouds import PointClouds, normalize, random_rotations, rotate
from cl3d.data.dataset import Dataset
from cl3d.data.download import Release, obtain
from cl3d.data.hdf5 import read_clouds
from cl3d.data.transfer import Report
from cl3d.errors import InputError
from cl3d.random import generator

MODELNET10_CLASSES = (
    "bathtub",
    "bed",
    "chair",
    "desk",
    "dresser",
    "monitor",
    "night_stand",
    "sofa",
    "table",
    "toilet",
)

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


def modelnet40(
    root: str | Path | None = None,
    num_points: int = 1024,
    seed: int = 0,
    rotation: str | None = None,
    download: bool = True,
    report: Report | None = None,
) -> Dataset:
    """ModelNet40: 40 classes, 9,843 train and 2,468 test clouds (9,840 in the original HDF5 release).

    Args:
        root: the folder with ``modelnet40_ply_hdf5_2048/`` in it, or that folder; see
            :mod:`cl3d.data.roots` for where it is looked for if not given.
        num_points: points per cloud, chosen at random from the stored ones; all of them in their
            order where there are just as many.
        seed: decides which points, and the rotations.
        rotation: None for aligned clouds, as stored; ``"y"`` to turn each train and test cloud by
            its own random angle about the up axis; ``"so3"`` by any rotation.
        download: whether to download the release where it is absent.
        report: told of the download's progress, with the bytes held and the bytes in all.

    Returns:
        Clouds with points float32 (n, num_points, 3), centred and in the unit sphere, labels int64
        and no parts; the classes are those of ``shape_names.txt``.

    Raises:
        InputError: for other rotations, more points than are stored, or a release that is absent,
            incomplete or damaged.
    """
    if num_points < 1:
        raise InputError(f"num_points is {num_points}; give at least 1")
    if rotation not in (None, "y", "so3"):
        raise InputError(
            f"rotation is {rotation!r}; "
            "give None (aligned, as stored), 'y' (about the up axis) or 'so3' (any)"
        )
    folder = obtain(RELEASE, root, download, report)
    names = _lines(folder / "shape_names.txt")
    train, test = (
        _prepare(_read_split(folder, split, len(names)), split, num_points, seed, rotation)
        for split in ("train", "test")
    )
    return Dataset("modelnet40", train, test, tuple(names))


def modelnet10(
    root: str | Path | None = None,
    num_points: int = 1024,
    seed: int = 0,
    rotation: str | None = None,
    download: bool = True,
    report: Report | None = None,
) -> Dataset:
    """ModelNet10: the clouds of ten of ModelNet40's classes, 3,991 for training and 908 for testing.

    Its clouds have the same points as in :func:`modelnet40` with the same arguments, which also
    describes them; labels follow the alphabetical order of the ten names.
    """
    whole = modelnet40(root, num_points, seed, rotation, download, report)
    missing = [name for name in MODELNET10_CLASSES if name not in whole.class_names]
    if missing:
        raise InputError(f"shape_names.txt lacks {', '.join(missing)} of ModelNet10: complete the release")
    old = torch.tensor([whole.class_names.index(name) for name in MODELNET10_CLASSES])
    return Dataset("modelnet10", _only(whole.train, old), _only(whole.test, old), MODELNET10_CLASSES)


def _only(clouds: PointClouds, classes: torch.Tensor) -> PointClouds:
    """The clouds of some classes, labelled by the positions in ``classes``."""
    kept = clouds[torch.isin(clouds.labels, classes)]
    return replace(kept, labels=(kept.labels.unsqueeze(1) == classes).int().argmax(dim=1))


def _read_split(folder: Path, split: str, num_classes: int) -> PointClouds:
    # the lists may give each file with the folders it had where the release was made
    listed = _lines(folder / f"{split}_files.txt")
    return read_clouds([folder / PurePosixPath(line).name for line in listed], num_classes)


def _prepare(
    clouds: PointClouds, split: str, num_points: int, seed: int, rotation: str | None
) -> PointClouds:
    """Chosen points, normalised, and turned where asked; keyed by the split, not by who asks."""
    if num_points > clouds.num_points:
        raise InputError(
            f"num_points is {num_points}, but the clouds have {clouds.num_points} points: "
            f"give {clouds.num_points} or less"
        )
    if num_points < clouds.num_points:
        clouds = clouds.resample(num_points, generator(seed, "points", "modelnet40", split))
    # piece by piece and in place: the original release fills 240 MB
    for piece in torch.split(clouds.points, 512):
        piece.copy_(normalize(piece))
    if rotation is not None:
        turns = random_rotations(
            len(clouds), generator(seed, "rotation", "modelnet40", split), "y" if rotation == "y" else None
        )
        clouds = clouds.with_points(rotate(clouds.points, turns))
    return clouds


def _lines(path: Path) -> list[str]:
    """The lines of a list file, without blank ones."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}): complete the release, or remove its folder to download it"
        ) from error
    kept = [line.strip() for line in lines if line.strip()]
    if not kept:
        raise InputError(f"{path} is empty: complete the release, or remove its folder to download it")
    return kept
