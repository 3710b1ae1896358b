"""ShapeNetPart (Yi et al., SIGGRAPH Asia 2016): shapes with the part of each point, as HDF5 and as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.load import Options, load
from cl3d.data.part_hdf5 import CATEGORIES, list_name, read_categories
from cl3d.data.part_hdf5 import source as parts_source
from cl3d.data.shapenetpart_normal import normal_source
from cl3d.data.shapenetpart_text import text_source
from cl3d.data.sign_up import SignUp, first_inside
from cl3d.data.source import Source
from cl3d.errors import InputError

SHAPENETPART_CLASSES = {
    "Airplane": 4,
    "Bag": 2,
    "Cap": 2,
    "Car": 4,
    "Chair": 4,
    "Earphone": 3,
    "Guitar": 3,
    "Knife": 2,
    "Lamp": 4,
    "Laptop": 2,
    "Motorbike": 6,
    "Mug": 2,
    "Pistol": 3,
    "Rocket": 3,
    "Skateboard": 3,
    "Table": 3,
}
"""The classes in label order, and how many parts each has: part labels count on from class to class."""

LAYOUTS = ("auto", "hdf5", "text", "normal")

TEXT = SignUp(
    title="ShapeNetPart",
    folder="shapenetcore_partanno_segmentation_benchmark_v0",
    inside=("synsetoffset2category.txt",),
    page="https://shapenet.org",
)
NORMAL = replace(TEXT, folder=f"{TEXT.folder}_normal")
HDF5 = SignUp(
    title="ShapeNetPart",
    folder="shapenet_part_seg_hdf5_data",
    inside=(list_name("train"), f"hdf5_data/{list_name('train')}"),
    page="https://shapenet.org",
    how="sign up, and unpack what you fetch into that folder, or its text form into "
    f"{TEXT.folder} or {NORMAL.folder}",
)


def shapenetpart(
    root: str | Path | None = None, *, layout: str = "auto", **options: Unpack[Options]
) -> Dataset:
    """ShapeNetPart: 16 classes with 50 parts, 14,007 train and 2,874 test clouds, y up.

    Train is the release's train (12,137) and val (1,870) together, as most results on it are.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        layout: ``"hdf5"``: ``shapenet_part_seg_hdf5_data/``, 2,048 points per cloud; ``"text"``:
            ``shapenetcore_partanno_segmentation_benchmark_v0/``, about 2,600 points, more in some and
            fewer in others; where there are fewer than asked for, some are given again; ``"normal"``:
            ``shapenetcore_partanno_segmentation_benchmark_v0_normal/``, the same with normals, which are
            left aside. ``"auto"``: the first of these that is there.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and parts int64
        (n, num_points) in [0, 50): 0 to 3 are those of Airplane, 4 and 5 those of Bag, and so on.
        Parts are named ``<class>/<number>``, the number being that of the text release, from 1.

    Raises:
        InputError: for another layout or wrong settings, more points than are stored, or a release
            that is absent, incomplete or damaged, or whose points have parts of another class.
    """
    if layout not in LAYOUTS:
        raise InputError(f"layout is {layout!r}; give one of {', '.join(LAYOUTS)}")
    return load(lambda: _source(root, layout), **options)


def _source(root: str | Path | None, layout: str) -> Source:
    if layout == "auto":
        layout = _layout_there(root)
    if layout == "text":
        return text_source(TEXT.obtain(root), SHAPENETPART_CLASSES)
    if layout == "normal":
        return normal_source(NORMAL.obtain(root), SHAPENETPART_CLASSES)
    folder = first_inside(HDF5.obtain(root), HDF5.inside).parent
    names = read_categories(folder)
    if names != list(SHAPENETPART_CLASSES):
        raise InputError(
            f"{folder / CATEGORIES} lists {', '.join(names)}, which are not the classes of ShapeNetPart "
            "in their order: get the release again"
        )
    parts = [(name, str(i + 1)) for name, count in SHAPENETPART_CLASSES.items() for i in range(count)]
    return parts_source("shapenetpart", folder, names, parts, train_lists=("train", "val"))


def _layout_there(root: str | Path | None) -> str:
    if HDF5.find(root) is not None:
        return "hdf5"
    text = TEXT.find(root) or NORMAL.find(root)
    if text is None:
        return "hdf5"
    return "normal" if text.name == NORMAL.folder else "text"  # both have the same files at their root
