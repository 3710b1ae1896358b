"""ShapeNetPart with a file of points and one of part labels per shape, in text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import torch

from cl3d.clouds import PointClouds
from cl3d.data.formats import read
from cl3d.data.lists import read_lines
from cl3d.data.shape_files import one_cloud
from cl3d.data.source import Source, SourceFile
from cl3d.errors import InputError

SYNSETS = "synsetoffset2category.txt"
SPLITS = ("train", "val", "test")


def list_path(folder: Path, split: str) -> Path:
    """The file that lists the shapes of a split."""
    return folder / "train_test_split" / f"shuffled_{split}_file_list.json"


def text_source(folder: Path, num_parts: Mapping[str, int]) -> Source:
    """The clouds ``<synset>/points/<shape>.pts`` that the lists in ``train_test_split/`` name.

    Their parts stand in ``<synset>/points_label/<shape>.seg``, a number per point, from 1 in each class.

    Args:
        folder: the release's, ``shapenetcore_partanno_segmentation_benchmark_v0``.
        num_parts: of each class, in label order.

    Raises:
        InputError: if a list cannot be read, or names a class that is none.
    """
    names = list(num_parts)
    labels = read_synsets(folder / SYNSETS, names)
    first = [sum(list(num_parts.values())[:label]) for label in range(len(names))]
    lists = [list_path(folder, split) for split in SPLITS]
    others = [folder / SYNSETS, *lists]

    def files(listed: Path) -> list[SourceFile]:
        found = []
        for synset, shape in read_shapes(listed, labels):
            label = labels[synset]
            points, parts = (
                folder / synset / kind / f"{shape}.{ending}"
                for kind, ending in (("points", "pts"), ("points_label", "seg"))
            )
            read_one = partial(_read, points, parts, label, first[label], num_parts[names[label]])
            found.append(SourceFile(points, read_one, label))
            others.append(parts)
        return found

    train, val, test = map(files, lists)
    return Source(
        name="shapenetpart",
        folder=folder,
        train=[*train, *val],
        test=test,
        class_names=tuple(names),
        part_names=tuple(f"{name}/{i + 1}" for name in names for i in range(num_parts[name])),
        others=others,
        ragged=True,
        options={"layout": "text"},
    )


def read_synsets(path: Path, names: list[str]) -> dict[str, int]:
    """The label of each synset's folder.

    Raises:
        InputError: if the file does not list the classes in this order.
    """
    pairs = [line.split() for line in read_lines(path)]
    if [pair[0] for pair in pairs] != names or any(len(pair) != 2 for pair in pairs):
        raise InputError(
            f"{path} does not list the classes {', '.join(names)} with their folders, in this order: "
            "get the release again"
        )
    return {synset: label for label, (_, synset) in enumerate(pairs)}


def read_shapes(path: Path, labels: Mapping[str, int]) -> list[tuple[str, str]]:
    """The synset and the name of each shape in a list, which has lines like ``shape_data/02691156/1a2b``.

    Raises:
        InputError: if the list cannot be read, or names a class that is none.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): complete the release") from error
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        raise InputError(f"{path} holds no list of names: get it again")
    shapes = [(PurePosixPath(entry).parent.name, PurePosixPath(entry).name) for entry in listed]
    for (synset, _), entry in zip(shapes, listed, strict=True):
        if synset not in labels:
            raise InputError(f"{path} names {entry!r}, which is of none of the classes in {SYNSETS}")
    return shapes


def _read(points: Path, parts: Path, label: int, first: int, num_parts: int) -> Iterator[PointClouds]:
    cloud = torch.from_numpy(read(points).points)
    yield one_cloud(cloud, label, _read_parts(parts, len(cloud), first, num_parts))


def _read_parts(path: Path, num_points: int, first: int, num_parts: int) -> torch.Tensor:
    """The part label of each point (num_points,), counted over all classes."""
    try:
        rows = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): complete the release") from error
    numbers = {str(i + 1): first + i for i in range(num_parts)}
    wrong = next((i for i, row in enumerate(rows) if row not in numbers), None)
    if wrong is not None:
        raise InputError(
            f"{path}: part {wrong} is {rows[wrong][:20]!r}; the parts of its class are 1 to {num_parts}, "
            "so repair the file or get it again"
        )
    if len(rows) != num_points:
        raise InputError(
            f"{path} has the parts of {len(rows)} points, but there are {num_points}: get both files again"
        )
    return torch.tensor([numbers[row] for row in rows])
