"""ShapeNetPart with normals, as PointNet++ was trained on it: points and parts in one text file per shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.formats import Geometry, check_geometry, content
from cl3d.data.formats.lines import Block, Lines, shown
from cl3d.data.shape_files import one_cloud
from cl3d.data.shapenetpart_text import SPLITS, SYNSETS, list_path, read_shapes, read_synsets
from cl3d.data.source import Source, SourceFile

COLUMNS = 7
"""x, y, z, the normal, and the part, counted over all classes from 0."""


def normal_source(folder: Path, num_parts: Mapping[str, int]) -> Source:
    """The clouds ``<synset>/<shape>.txt`` that the lists in ``train_test_split/`` name.

    Args:
        folder: the release's, ``shapenetcore_partanno_segmentation_benchmark_v0_normal``.
        num_parts: of each class, in label order.

    Raises:
        InputError: if a list cannot be read, or names a class that is none.
    """
    names = list(num_parts)
    labels = read_synsets(folder / SYNSETS, names)
    ends = list(accumulate(num_parts.values()))
    ranges = [range(end - count, end) for end, count in zip(ends, num_parts.values(), strict=True)]

    def files(listed: Path) -> list[SourceFile]:
        found = []
        for synset, shape in read_shapes(listed, labels):
            path, label = folder / synset / f"{shape}.txt", labels[synset]
            found.append(SourceFile(path, partial(_read, path, label, ranges[label]), label))
        return found

    lists = [list_path(folder, split) for split in SPLITS]
    train, val, test = map(files, lists)
    return Source(
        name="shapenetpart",
        folder=folder,
        train=[*train, *val],
        test=test,
        class_names=tuple(names),
        part_names=tuple(f"{name}/{i + 1}" for name in names for i in range(num_parts[name])),
        others=[folder / SYNSETS, *lists],
        ragged=True,
        options={"layout": "normal"},
    )


def _read(path: Path, label: int, parts: range) -> Iterator[PointClouds]:
    points, found = [np.empty((0, 3), np.float32)], []
    for block in Lines(content(path), str(path)).blocks():
        block.check_width(COLUMNS)
        points.append(block.coordinates((0, 1, 2)))
        found += _parts(block, parts)
    geometry = Geometry(np.concatenate(points))
    check_geometry(geometry, str(path))
    yield one_cloud(torch.from_numpy(geometry.points), label, torch.tensor(found))


def _parts(block: Block, parts: range) -> list[int]:
    """The last number of each row, which the release writes as ``12.000000``."""
    found = []
    for number, row in zip(block.numbers, block.rows, strict=True):
        try:
            part = block.lines.to_float(row[-1])
        except ValueError:
            part = -1.0
        if part not in parts:
            raise block.lines.error(
                number,
                f"the part is {shown(row[-1])}; those of its class are {parts[0]} to {parts[-1]}, "
                "so repair the row or get the file again",
            )
        found.append(int(part))
    return found
