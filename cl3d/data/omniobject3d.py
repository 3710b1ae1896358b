"""OmniObject3D (Wu et al., CVPR 2023): scanned everyday objects, a file per object."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.load import Options, load
from cl3d.data.omniobject3d_hdf5 import count_clouds, split_clouds
from cl3d.data.shape_files import shape_file
from cl3d.data.sign_up import SignUp, first_inside
from cl3d.data.source import Source
from cl3d.data.splits import share_for_test, split_files
from cl3d.errors import InputError, Note, check_whole

RESOLUTIONS = (1024, 4096, 16384)
CLASSES = ("enough", "all")
LAYOUTS = ("auto", "ply", "hdf5")
PLY = ("point_clouds/ply_files", "raw/point_clouds/ply_files", "ply_files")
HDF5 = ("point_clouds/hdf5_files", "raw/point_clouds/hdf5_files", "hdf5_files")

RELEASE = SignUp(
    title="OmniObject3D",
    folder="OmniObject3D",
    inside=(*PLY, *HDF5),
    page="https://omniobject3d.github.io",
)


def omniobject3d(
    root: str | Path | None = None,
    *,
    layout: str = "auto",
    resolution: int = 1024,
    classes: str = "enough",
    min_test: int = 4,
    split_seed: int = 0,
    **options: Unpack[Options],
) -> Dataset:
    """OmniObject3D: up to 216 classes, about 6,000 objects; no official split.

    Of each class four fifths, rounded down, are for training, the others for testing.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        layout: ``"ply"``: ``point_clouds/ply_files/<resolution>/<class>/<object>/pcd_<resolution>.ply``,
            where folders that lack the file, as some of the release do, are left out and counted in a
            note; ``"hdf5"``: ``point_clouds/hdf5_files/<resolution>/<class>_<resolution>.hdf5``, the same
            clouds without the names of the objects, and hence another split; ``"auto"``: the first of
            these that is there.
        resolution: points per stored cloud, 1024, 4096 or 16384; ``num_points`` are taken of them.
        classes: ``"enough"``: those classes in which a fifth is at least ``min_test`` clouds (156 of
            the release); ``"all"``: every class; where a fifth is less, ``min_test`` clouds are for
            testing, or all but one where there are not even that many.
        min_test: the least number of test clouds in a class, at least 1.
        split_seed: which clouds are for testing, at least 0; apart from ``seed``.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and no parts, in the axes of
        the release; the classes in the order of the alphabet.

    Raises:
        InputError: for other settings, more points than are stored, or a release that is absent or
            damaged.
    """
    if resolution not in RESOLUTIONS:
        raise InputError(f"resolution={resolution}: give one of {', '.join(map(str, RESOLUTIONS))}")
    if layout not in LAYOUTS:
        raise InputError(f"layout is {layout!r}; give one of {', '.join(LAYOUTS)}")
    if classes not in CLASSES:
        raise InputError(f"classes={classes!r}: give 'enough' (those with min_test test clouds) or 'all'")
    check_whole("min_test", min_test, 1)
    check_whole("split_seed", split_seed, 0)
    return load(
        lambda: _source(RELEASE.obtain(root), layout, resolution, classes, min_test, split_seed), **options
    )


def _source(
    folder: Path, layout: str, resolution: int, classes: str, min_test: int, split_seed: int
) -> Source:
    ply, hdf5 = (first_inside(folder, choices) / str(resolution) for choices in (PLY, HDF5))
    if layout == "auto":
        layout = "hdf5" if hdf5.is_dir() and not ply.is_dir() else "ply"
    objects = _objects(ply, f"pcd_{resolution}.ply") if layout == "ply" else {}
    counts = count_clouds(hdf5, resolution) if layout == "hdf5" else {k: len(v) for k, v in objects.items()}
    if classes == "enough":
        counts = {name: count for name, count in counts.items() if share_for_test(count) >= min_test}
        if not counts:
            raise InputError(
                f"{folder} has no class with {min_test} test clouds among a fifth of its objects: "
                "complete the release, or give classes=all"
            )
    shares = [min(max(share_for_test(count), min_test), count - 1) for count in counts.values()]
    _tell_of_few(list(counts), shares, min_test)
    options: dict[str, int | str] = {"resolution": resolution, "min_test": min_test, "split_seed": split_seed}
    if layout == "hdf5":
        train, test = split_clouds(hdf5, resolution, counts, shares, split_seed)
        options["layout"] = layout
    else:
        found = split_files(folder, [objects[name] for name in counts], shares, split_seed)
        train, test = ([shape_file(path, label) for path, label in split] for split in found)
    return Source(
        name="omniobject3d",
        folder=folder,
        train=train,
        test=test,
        class_names=tuple(counts),
        per_file=layout == "ply",  # in HDF5 both splits come from one file
        options=options,
    )


def _objects(folder: Path, file_name: str) -> dict[str, list[Path]]:
    """The files of each class that has any."""
    objects = sorted(path for path in folder.glob("*/*") if path.is_dir())
    classes: dict[str, list[Path]] = {}
    for path in objects:
        if (path / file_name).is_file():
            classes.setdefault(path.parent.name, []).append(path / file_name)
    lacking = len(objects) - sum(map(len, classes.values()))
    if not classes:
        raise InputError(f"{folder} has no files <class>/<object>/{file_name}: complete the release")
    if lacking:
        left_out = f"{lacking} of {len(objects)} folders have no {file_name} and are left out"
        warnings.warn(f"omniobject3d: {left_out}", Note, stacklevel=2)
    return classes


def _tell_of_few(names: list[str], shares: list[int], min_test: int) -> None:
    few = [name for name, share in zip(names, shares, strict=True) if share < min_test]
    if few:
        shown = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
        warnings.warn(
            f"omniobject3d: {len(few)} classes have fewer than {min_test} test clouds, as all but one of "
            f"their clouds are for testing: {shown}",
            Note,
            stacklevel=2,
        )
