"""A user's own data: folders of shapes, or arrays in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.folder_arrays import ENDINGS as ARRAY_ENDINGS
from cl3d.data.folder_arrays import arrays_source
from cl3d.data.folder_files import files_source
from cl3d.data.load import Options, load
from cl3d.data.roots import given_path
from cl3d.data.shape_files import SURFACE_POINTS
from cl3d.data.source import Source
from cl3d.errors import InputError, check_whole

UPS = ("y", "z")


def folder(
    root: str | Path | None = None,
    *,
    test_fraction: float = 0.2,
    split_seed: int = 0,
    surface_points: int = SURFACE_POINTS,
    up: str = "y",
    **options: Unpack[Options],
) -> Dataset:
    """A user's own data, from a folder of shapes or from one file of arrays.

    A folder has a file per shape, ``<class>/{train,test}/*`` or, split by seed, ``<class>/*``, in any of
    the formats of :mod:`cl3d.data.formats`: ply, off, obj, stl, pcd, pts, txt, xyz, npy. Shapes may
    differ in their number of points; one with fewer than asked for has some of them again. Other files
    are left out and counted in a note.

    A file ends in .npz, .h5 or .hdf5 and has ``points`` (or ``data``), floats (n, p, 3), and
    ``labels`` (or ``label``), integers (n,) or (n, 1) from 0; a ``split`` may say ``"train"`` or
    ``"test"`` of each cloud, or all of them bear one of these before their name, as ``train_points``;
    otherwise they are split by seed. ``class_names`` may name the classes. With ``part_names``, texts
    ``<class>/<part>``, it has ``parts`` (or ``pid``), integers (n, p) that index them. Nothing is ever
    unpickled.

    Args:
        root: the folder or the file; its name is that of the data set.
        test_fraction: of each class, in (0, 1), where a split is drawn: rounded up, at least one cloud
            for testing and one for training.
        split_seed: which clouds are for testing, at least 0; apart from ``seed``.
        surface_points: points drawn from each mesh, uniformly by area.
        up: the axis that points up in the files, ``"y"`` or ``"z"``; y does in what is returned.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and, where a file names parts, parts
        int64 (n, num_points). Classes are the folders in the order of the alphabet, or follow the labels of
        the file.

    Raises:
        InputError: for other settings, a class that is empty, cannot be split or has only one of train
            and test, and files that cannot be read, lack an array, or have another shape or dtype.
    """
    if root is None or root == "":
        raise InputError(
            "no data is given: set root (data.root=) to a folder <class>/*, a .npz or a .h5 file"
        )
    _check(test_fraction, split_seed, surface_points, up)
    endings = f"{', '.join(ARRAY_ENDINGS[:-1])} or {ARRAY_ENDINGS[-1]}"
    place = given_path("root", root).absolute()

    def source() -> Source:
        if place.is_dir():
            return files_source(place, test_fraction, split_seed, surface_points, up)
        if place.is_file() and place.suffix.lower() in ARRAY_ENDINGS:
            return arrays_source(place, test_fraction, split_seed, up)
        found = "is a file of another kind" if place.exists() else "does not exist"
        raise InputError(f"{place} {found}: give a folder <class>/*, or a file that ends in {endings}")

    return load(source, **options)


def _check(test_fraction: float, split_seed: int, surface_points: int, up: str) -> None:
    if isinstance(test_fraction, bool) or not (
        isinstance(test_fraction, int | float) and 0 < test_fraction < 1
    ):
        raise InputError(f"test_fraction={test_fraction}: give the part for testing, in (0, 1)")
    check_whole("split_seed", split_seed, 0)
    check_whole("surface_points", surface_points, 1)
    if up not in UPS:
        raise InputError(f"up is {up!r}; give 'y' or 'z', the axis that points up")
