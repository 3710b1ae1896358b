"""ScanObjectNN (Uy et al., ICCV 2019): objects from scans of rooms, with and without what surrounds them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Unpack

from cl3d.clouds import PointClouds
from cl3d.data.dataset import Dataset
from cl3d.data.hdf5 import read_file
from cl3d.data.load import Options, load
from cl3d.data.sign_up import SignUp, first_inside
from cl3d.data.source import Source, SourceFile
from cl3d.errors import InputError

SCANOBJECTNN_CLASSES = (
    "bag",
    "bin",
    "box",
    "cabinet",
    "chair",
    "desk",
    "display",
    "door",
    "shelf",
    "table",
    "bed",
    "pillow",
    "sink",
    "sofa",
    "toilet",
)
"""In the order of the labels, which is not that of the alphabet."""

VARIANTS = {
    "obj_bg": ("main_split", ""),
    "obj_only": ("main_split_nobg", ""),
    "pb_t25": ("main_split", "_augmented25_norot"),
    "pb_t25_r": ("main_split", "_augmented25rot"),
    "pb_t50_r": ("main_split", "_augmentedrot"),
    "pb_t50_rs": ("main_split", "_augmentedrot_scale75"),
}
"""The folder of each variant, and how the names of its files end."""

RELEASE = SignUp(
    title="ScanObjectNN",
    folder="ScanObjectNN",
    inside=("h5_files/main_split", "h5_files/main_split_nobg", "main_split", "main_split_nobg"),
    page="https://hkust-vgd.github.io/scanobjectnn",
)


def scanobjectnn(
    root: str | Path | None = None, *, variant: str = "obj_bg", **options: Unpack[Options]
) -> Dataset:
    """ScanObjectNN: 15 classes, clouds of 2,048 points, y up.

    Read from ``ScanObjectNN/h5_files/main_split{,_nobg}/{training,test}_objectdataset<suffix>.h5``; the
    folder ``h5_files`` may be left out. The split is the release's main one.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        variant: ``"obj_bg"``, objects with background, and ``"obj_only"``, without: 2,309 train and
            581 test clouds. Perturbed, with background, several clouds per object: ``"pb_t25"``, the
            box moved by up to a quarter of its size; ``"pb_t25_r"``, also turned about the up axis;
            ``"pb_t50_r"``, moved by up to a half and turned; ``"pb_t50_rs"``, also scaled, the hardest
            and usual one: 11,416 and 2,882.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and no parts.

    Raises:
        InputError: for another variant or wrong settings, more points than are stored, or a release
            that is absent, incomplete or damaged.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant is {variant!r}; give one of {', '.join(VARIANTS)}")
    return load(lambda: _source(RELEASE.obtain(root), variant), **options)


def _source(folder: Path, variant: str) -> Source:
    split, suffix = VARIANTS[variant]
    within = first_inside(folder, (f"h5_files/{split}", split))
    train, test = (
        [SourceFile(path, partial(_read, path))]
        for path in (within / f"{name}_objectdataset{suffix}.h5" for name in ("training", "test"))
    )
    return Source(
        name="scanobjectnn",
        folder=folder,
        train=train,
        test=test,
        class_names=SCANOBJECTNN_CLASSES,
        options={"variant": variant},
    )


def _read(path: Path) -> Iterator[PointClouds]:
    yield read_file(path, len(SCANOBJECTNN_CLASSES))
