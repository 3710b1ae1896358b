"""ModelNet40 with a file per shape: the meshes (OFF), and the resampled points of PointNet++ (text)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cl3d.data.lists import read_lines
from cl3d.data.shape_files import SURFACE_POINTS, shape_file
from cl3d.data.source import Source, SourceFile
from cl3d.errors import InputError

TEXT_LISTS = ("modelnet40_shape_names.txt", "modelnet40_train.txt", "modelnet40_test.txt")


def off_source(folder: Path, surface_points: int = SURFACE_POINTS) -> Source:
    """The meshes ``<class>/{train,test}/*.off``, the names being those of the folders, sorted.

    In the files z points up; the clouds are turned so that y does, as in the other forms.

    Args:
        folder: the release's, ``ModelNet40`` or ``ModelNet10``.
        surface_points: points drawn from each surface, which then count as what is stored.

    Raises:
        InputError: if there are no such folders, or one of them has no mesh.
    """
    names = sorted(path.parent.name for path in folder.glob("*/train") if path.is_dir())
    if not names:
        raise InputError(f"{folder} has no folders <class>/train: give the unpacked meshes of ModelNet40")
    splits = [
        [
            file
            for label, name in enumerate(names)
            for file in _meshes(folder / name / split, label, surface_points)
        ]
        for split in ("train", "test")
    ]
    return Source(
        name="modelnet40",
        folder=folder,
        train=splits[0],
        test=splits[1],
        class_names=tuple(names),
        options={"layout": "off", "surface_points": surface_points},
    )


def text_source(folder: Path) -> Source:
    """The clouds ``<class>/<class>_<number>.txt`` that the lists of train and test name.

    The first three of six columns are coordinates; there are 10,000 points per cloud.

    Args:
        folder: the release's, ``modelnet40_normal_resampled``.

    Raises:
        InputError: if a list cannot be read, or names a cloud of no class.
    """
    lists = [folder / name for name in TEXT_LISTS]
    names = read_lines(lists[0])
    train, test = ([_text_file(folder, line, names, path) for line in read_lines(path)] for path in lists[1:])
    return Source(
        name="modelnet40",
        folder=folder,
        train=train,
        test=test,
        class_names=tuple(names),
        others=lists,
        ragged=True,
        options={"layout": "text"},
    )


def _meshes(folder: Path, label: int, surface_points: int) -> list[SourceFile]:
    paths = sorted(path for path in folder.glob("[!.]*") if path.suffix.lower() == ".off")
    if not paths:
        raise InputError(f"{folder} has no .off files: complete the release")
    return [shape_file(path, label, surface_points, up="z") for path in paths]


def _text_file(folder: Path, line: str, names: Sequence[str], listed: Path) -> SourceFile:
    name = line.rpartition("_")[0]
    if name not in names:
        raise InputError(f"{listed} names {line!r}, which is of none of the classes: complete the release")
    return shape_file(folder / name / f"{line}.txt", names.index(name))
