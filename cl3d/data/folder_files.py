"""A user's own folder with a file per shape."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from cl3d.data.formats import ENDINGS
from cl3d.data.shape_files import shape_file
from cl3d.data.source import Source
from cl3d.data.splits import Labelled, share_of_class, split_files
from cl3d.errors import InputError, Note

SPLITS = ("train", "test")


def files_source(folder: Path, test_fraction: float, split_seed: int, surface_points: int, up: str) -> Source:
    """The shapes ``<class>/{train,test}/*``, or those ``<class>/*``, split by seed.

    Args:
        folder: with a folder per class.
        test_fraction, split_seed, surface_points, up: see :func:`cl3d.data.folder.folder`.

    Raises:
        InputError: if there are no classes, one has no shapes or cannot be split, or only some are split.
    """
    classes = _classes(folder)
    if _are_split(classes):
        lists = [[_shapes(path / split) for path in classes] for split in SPLITS]
        train, test = (_labelled(files) for files in lists)
    else:
        files = [_shapes(path) for path in classes]
        shares = [
            share_of_class(len(found), test_fraction, str(path))
            for path, found in zip(classes, files, strict=True)
        ]
        train, test = split_files(folder, files, shares, split_seed)
    _tell_of_others(folder, classes, len(train) + len(test))
    return Source(
        name=folder.name,
        folder=folder,
        train=[shape_file(path, label, surface_points, up) for path, label in train],
        test=[shape_file(path, label, surface_points, up) for path, label in test],
        class_names=tuple(path.name for path in classes),
        ragged=True,
        key="folder",  # moving or renaming it changes nothing
        options={"surface_points": surface_points, "up": up},
    )


def _classes(folder: Path) -> list[Path]:
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and _shown(path.name))
    if not classes:
        raise InputError(f"{folder} has no folders: put the shapes of each class into a folder, <class>/*")
    if {path.name for path in classes} <= set(SPLITS):
        raise InputError(
            f"{folder} has train and test where classes belong: put them into each, <class>/train/*"
        )
    return classes


def _are_split(classes: Sequence[Path]) -> bool:
    """Whether the classes have folders train and test; all must agree."""
    split = [path for path in classes if any((path / name).is_dir() for name in SPLITS)]
    if split and len(split) < len(classes):
        other = next(path for path in classes if path not in split)
        raise InputError(
            f"{split[0]} has train or test, but {other} has neither: split all classes into both, or none"
        )
    return bool(split)


def _shapes(folder: Path) -> list[Path]:
    """The files that can be read; ``scandir`` knows what is a file without asking for each."""
    found: list[Path] = []
    if folder.is_dir():
        with os.scandir(folder) as entries:
            shown = sorted(entry.name for entry in entries if _shown(entry.name) and entry.is_file())
        found = [folder / name for name in shown if os.path.splitext(name)[1].lower() in ENDINGS]
    if not found:
        raise InputError(f"{folder} has no shapes: put files into it that end in {', '.join(ENDINGS)}")
    return found


def _labelled(files: Sequence[Sequence[Path]]) -> list[Labelled]:
    return [(path, label) for label, paths in enumerate(files) for path in paths]


def _tell_of_others(folder: Path, classes: Sequence[Path], used: int) -> None:
    """Says how many files are not used, hidden ones aside."""
    others = sum(_shown(name) for path in classes for _, _, names in os.walk(path) for name in names) - used
    if others:
        warnings.warn(
            f"{folder}: {others} files are left out, which are not shapes or not where shapes are looked for",
            Note,
            stacklevel=2,
        )


def _shown(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"  # which macOS puts into zip files
