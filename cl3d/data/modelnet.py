"""ModelNet40 and ModelNet10 (Wu et al., CVPR 2015) from any of the three forms in which people have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.download import obtain
from cl3d.data.load import Options, load
from cl3d.data.modelnet_files import TEXT_LISTS, off_source, text_source
from cl3d.data.modelnet_hdf5 import RELEASE
from cl3d.data.modelnet_hdf5 import source as hdf5_source
from cl3d.data.roots import find, place
from cl3d.data.shape_files import SURFACE_POINTS
from cl3d.data.source import Source
from cl3d.data.transfer import Report
from cl3d.errors import InputError, check_whole

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

LAYOUTS = ("auto", "hdf5", "off", "text")
OFF_FOLDER, OFF_FOLDER10, TEXT_FOLDER = "ModelNet40", "ModelNet10", "modelnet40_normal_resampled"


def modelnet40(
    root: str | Path | None = None,
    *,
    layout: str = "auto",
    surface_points: int = SURFACE_POINTS,
    download: bool = True,
    report: Report | None = None,
    **options: Unpack[Options],
) -> Dataset:
    """ModelNet40: 40 classes, 9,843 train and 2,468 test clouds (9,840 in the original HDF5 release).

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        layout: ``"hdf5"``: ``modelnet40_ply_hdf5_2048/``, 2,048 points per cloud; ``"text"``:
            ``modelnet40_normal_resampled/``, 10,000 points, normals left aside; ``"off"``: the meshes,
            ``ModelNet40/<class>/{train,test}/*.off``; ``"auto"``: the first of these that is there.
        surface_points: points drawn from each mesh, uniformly by area; of meshes only.
        download: whether to download the HDF5 release where none is there.
        report: told of the download's progress, with the bytes held and the bytes in all.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 and no parts; the classes are those
        of the release.

    Raises:
        InputError: for other settings, more points than are stored, or a release that is absent,
            incomplete or damaged.
    """
    _check(layout, surface_points)
    return load(lambda: _source(root, layout, surface_points, download, report), **options)


def modelnet10(
    root: str | Path | None = None,
    *,
    layout: str = "auto",
    surface_points: int = SURFACE_POINTS,
    download: bool = True,
    report: Report | None = None,
    **options: Unpack[Options],
) -> Dataset:
    """ModelNet10: the clouds of ten of ModelNet40's classes, 3,991 for training and 908 for testing.

    Its clouds have the same points as in :func:`modelnet40` with the same arguments, which also
    describes them; labels follow the alphabetical order of the ten names. Of the meshes its own
    release, ``ModelNet10/``, is read where ModelNet40's is not there; its shapes are turned otherwise.
    """
    _check(layout, surface_points)
    folders = (OFF_FOLDER, OFF_FOLDER10)
    return load(
        lambda: _source(root, layout, surface_points, download, report, folders).of_classes(
            "modelnet10", MODELNET10_CLASSES
        ),
        **options,
    )


def _check(layout: str, surface_points: int) -> None:
    if layout not in LAYOUTS:
        raise InputError(f"layout is {layout!r}; give one of {', '.join(LAYOUTS)}")
    check_whole("surface_points", surface_points, 1)


def _source(
    root: str | Path | None,
    layout: str,
    surface_points: int,
    download: bool,
    report: Report | None,
    mesh_folders: Sequence[str] = (OFF_FOLDER,),
) -> Source:
    text = find(TEXT_FOLDER, TEXT_LISTS[0], root)
    meshes = next(filter(None, (find(folder, None, root) for folder in mesh_folders)), None)
    if layout == "auto":
        hdf5 = find(RELEASE.folder, next(iter(RELEASE.files)), root)
        there = {"hdf5": hdf5, "text": text, "off": meshes}
        layout = next((name for name, folder in there.items() if folder is not None), "hdf5")
    if layout == "hdf5":
        return hdf5_source(obtain(RELEASE, root, download, report))
    if layout == "text":
        return text_source(text or _absent(TEXT_FOLDER, root))
    return off_source(meshes or _absent(OFF_FOLDER, root), surface_points)


def _absent(folder: str, root: str | Path | None) -> Path:
    raise InputError(
        f"ModelNet40 is not in {place(folder, root)}: fetch it (see {RELEASE.page}) and unpack it there, "
        "or give layout=hdf5, which is downloaded"
    )
