"""Labelled parts: the Princeton segmentation benchmark as clouds with the part of each point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.lists import read_lines
from cl3d.data.load import Options, load
from cl3d.data.part_hdf5 import CATEGORIES, read_categories, source
from cl3d.data.sign_up import SignUp
from cl3d.data.source import Source
from cl3d.errors import InputError

RELEASE = SignUp(
    title="labeled_parts",
    folder="labeled_parts_hdf5",
    inside=("part_names.txt",),
    page="https://people.cs.umass.edu/~kalo/papers/LabelMeshes",
    how="and sample its meshes as points into that layout",
)


def labeled_parts(root: str | Path | None = None, **options: Unpack[Options]) -> Dataset:
    """Labelled parts: 19 classes with 94 parts, 228 train and 152 test clouds of 2,048 points.

    The 380 meshes of the Princeton segmentation benchmark (Chen, Golovinskiy and Funkhouser, SIGGRAPH
    2009) with the part labels of Kalogerakis, Hertzmann and Singh (SIGGRAPH 2010), as points in the
    layout of ShapeNetPart's HDF5 release, ``labeled_parts_hdf5/``: 12 train and 8 test clouds per
    class. ``all_object_categories.txt`` names the classes and ``part_names.txt`` the parts, as
    ``<class>/<part>``.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and parts int64
        (n, num_points), which index the part names of all classes together.

    Raises:
        InputError: for wrong settings, more points than are stored, or a release that is absent,
            incomplete or damaged.
    """
    return load(lambda: _source(RELEASE.obtain(root)), **options)


def _source(folder: Path) -> Source:
    names, listed = read_categories(folder), folder / RELEASE.inside[0]
    parts = []
    for line in read_lines(listed):
        owner, _, part = line.partition("/")
        if owner not in names or not part:
            raise InputError(
                f"{listed} names {line!r}; give <class>/<part> on each line, with a class of {CATEGORIES}"
            )
        parts.append((owner, part))
    found = source("labeled_parts", folder, names, parts)
    return replace(found, others=[*found.others, listed])
