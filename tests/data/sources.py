"""Small sources for the tests: files with random clouds, written as .npy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.source import Source, SourceFile

CLASSES = ("cone", "cup", "lamp")


def write_clouds(path: Path, clouds: int = 5, points: int = 11, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    np.save(path, rng.standard_normal((clouds, points, 3)).astype(np.float32))
    return path


def read_clouds(path: Path, parts: bool = False):
    points = torch.from_numpy(np.load(path))
    # the part of a point is its position, by which it is known again
    positions = torch.arange(points.shape[1]).repeat(len(points), 1) if parts else None
    yield PointClouds(points, torch.arange(len(points)) % len(CLASSES), positions)


def source_of(folder: Path, train: Sequence[str], test: Sequence[str], parts: bool = False, **more) -> Source:
    files = [
        [SourceFile(folder / name, partial(read_clouds, folder / name, parts)) for name in names]
        for names in (train, test)
    ]
    names = tuple(f"part {position}" for position in range(99)) if parts else ()
    return Source("toy", folder, *files, CLASSES, part_names=names, **more)


def toy(folder: Path, **more) -> Source:
    """Two files of train and one of test."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(("a.npy", "b.npy", "c.npy")):
        if not (folder / name).exists():
            write_clouds(folder / name, clouds=4 + seed, seed=seed)
    return source_of(folder, ["a.npy", "b.npy"], ["c.npy"], **more)
