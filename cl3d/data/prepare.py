"""From the raw clouds of a release to a data set, by the shared settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, choose_points, concatenate, normalize
from cl3d.data.dataset import Dataset
from cl3d.data.duplicates import CopyCounter
from cl3d.data.rows import MemoryRows, Rows
from cl3d.data.settings import Settings
from cl3d.data.source import Reader, Source, SourceFile
from cl3d.data.usable import check_usable
from cl3d.errors import InputError
from cl3d.ops.fps import farthest_points
from cl3d.progress import Progress, silent
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate

CLOUDS_AT_ONCE = 512
"""Clouds that are worked on together; beside the raw clouds of one file, no more are held."""

Pieces = Iterator[PointClouds]
"""Clouds, a few at a time."""

MakeRows = Callable[[str, tuple[int, ...], torch.dtype], Rows]
"""Begins an array: the name of its file, the shape of a row, its dtype."""


def prepare(
    source: Source, settings: Settings, rows: MakeRows | None = None, progress: Progress = silent
) -> Dataset:
    """Reads the clouds of a source and applies the settings.

    Args:
        source: what to read.
        settings: what to do with it.
        rows: begins the arrays ``train_points.npy``, ``train_parts.npy``, ``test_...``; in memory by
            default.
        progress: counts the files.

    Raises:
        InputError: if a file cannot be used, or has too few points; if all test clouds are dropped.
    """
    reader, copies = Reader(source), CopyCounter(settings.drop_duplicates)
    begin = rows or (lambda name, shape, dtype: MemoryRows(shape, dtype))
    with progress(f"preparing {source.name}", len(source.train) + len(source.test)) as advance:

        def read(file: SourceFile) -> Pieces:
            yield from reader.read(file)
            advance(file.path.name)

        splits = []
        for name, files in (("train", source.train), ("test", source.test)):
            split = _Split(name, source, settings, copies)
            splits.append(split.collect(((file, read(file)) for file in files), begin))
    train, test = splits
    if not len(test):
        raise InputError(
            f"{source.name} has no test clouds left, as exact copies of all stand in train: "
            "give other test clouds, or drop_duplicates=false"
        )
    return Dataset(source.name, train, test, source.kept_names, source.part_names, copies.found)


class _Split:
    """Draws for the clouds of one split, and collects what becomes of them."""

    def __init__(self, name: str, source: Source, settings: Settings, copies: CopyCounter) -> None:
        self.name, self.source, self.settings, self.copies = name, source, settings, copies
        self._draws = self._generator("points", name)
        self._staying: list[Tensor] = []
        self._turns: list[Tensor] = []

    def collect(self, files: Iterable[tuple[SourceFile, Pieces]], begin: MakeRows) -> PointClouds:
        """All clouds of the files, as the settings ask for them."""
        wanted = self.settings.num_points
        points = begin(f"{self.name}_points.npy", (wanted, 3), torch.float32)
        parts: Rows | None = None
        labels = [torch.empty(0, dtype=torch.int64)]
        for batch in _batches(self._staying_clouds(files)):
            clouds = _farthest(batch, wanted)
            points.append(normalize(clouds.points) if self.settings.normalize else clouds.points)
            labels.append(clouds.labels)
            if clouds.parts is not None:
                parts = parts or begin(f"{self.name}_parts.npy", (wanted,), torch.int64)
                parts.append(clouds.parts)
        whole = points.finish()
        self._rotate(whole)
        return PointClouds(whole, torch.cat(labels), None if parts is None else parts.finish())

    def _staying_clouds(self, files: Iterable[tuple[SourceFile, Pieces]]) -> Pieces:
        """The clouds that are neither of other classes nor dropped, with the points that are drawn."""
        for file, pieces in files:
            path, before, seen = self.source.relative(file.path), len(self._staying), 0
            draws = self._generator("points", path) if self.source.per_file else self._draws
            for large in pieces:
                for piece in _split(large):
                    chosen = self._choose(piece, draws)
                    if len(chosen):
                        places = (seen + self._staying[-1].nonzero().squeeze(1)).tolist()
                        check_usable(chosen, f"{file.path}, among the points drawn", places)
                        yield chosen
                    seen += len(piece)
            if self.source.per_file:
                self._turns.append(self._rotations(sum(map(len, self._staying[before:])), path))

    def _choose(self, clouds: PointClouds, draws: torch.Generator) -> PointClouds:
        available, wanted = clouds.num_points, self.settings.num_points
        if wanted > available and not self.source.ragged:
            raise InputError(
                f"num_points is {wanted}, but the clouds have {available} points: give {available} or less"
            )
        staying, labels = _relabelled(clouds.labels, self.source.keep)
        # only among the clouds of the classes that are kept
        staying[staying.clone()] = self.copies.staying(self.name, clouds.points[staying])
        self._staying.append(staying)
        if self.settings.sampling == "random" and wanted != available:
            # drawn for all clouds, so that those that are left out change nothing for the others
            clouds = _take(clouds, choose_points(len(clouds), available, wanted, draws))
        kept = clouds[staying]
        return PointClouds(kept.points.float(), labels[staying], kept.parts)

    def _rotate(self, points: Tensor) -> None:
        """Turns the final clouds in place; a split's turns are drawn when its clouds are counted."""
        if self.settings.rotation is None or len(points) == 0:
            return
        staying = torch.cat(self._staying)
        drawn = torch.cat(self._turns) if self.source.per_file else self._rotations(len(staying), self.name)
        turns = drawn[staying].split(CLOUDS_AT_ONCE)
        for piece, turn in zip(points.split(CLOUDS_AT_ONCE), turns, strict=True):
            piece.copy_(rotate(piece, turn))

    def _rotations(self, count: int, key: str) -> Tensor:
        if self.settings.rotation is None:
            return torch.empty(0, 3, 3)
        axis = "y" if self.settings.rotation == "y" else None
        return random_rotations(count, self._generator("rotation", key), axis)

    def _generator(self, what: str, key: str) -> torch.Generator:
        return generator(self.settings.seed, what, self.source.key or self.source.name, key)


def _relabelled(labels: Tensor, keep: tuple[int, ...] | None) -> tuple[Tensor, Tensor]:
    """Which clouds are of classes that are kept (n,), and the new labels (n,) of all."""
    if keep is None:
        return torch.ones(len(labels), dtype=torch.bool), labels
    matches = labels.unsqueeze(1) == torch.tensor(keep)
    return matches.any(dim=1), matches.int().argmax(dim=1)


def _farthest(clouds: PointClouds, wanted: int) -> PointClouds:
    """Each cloud's farthest points; where more are wanted than there are, all, and the farthest again."""
    times, rest = divmod(wanted, clouds.num_points)
    if (times, rest) == (1, 0):
        return clouds
    chosen = torch.arange(clouds.num_points).repeat(len(clouds), times)
    if rest:
        chosen = torch.cat((chosen, farthest_points(clouds.points, rest)), dim=1)
    return _take(clouds, chosen)


def _take(clouds: PointClouds, chosen: Tensor) -> PointClouds:
    """The points at ``chosen`` (n, wanted) of each cloud, with their parts."""
    points = clouds.points.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 3))
    return PointClouds(
        points, clouds.labels, None if clouds.parts is None else clouds.parts.gather(1, chosen)
    )


def _batches(pieces: Pieces) -> Pieces:
    """The same clouds in larger pieces: neighbours with the same number of points together."""
    waiting: list[PointClouds] = []
    count = 0
    for piece in pieces:
        if waiting and (waiting[0].num_points != piece.num_points or count >= CLOUDS_AT_ONCE):
            yield concatenate(waiting)
            waiting, count = [], 0
        waiting.append(piece)
        count += len(piece)
    if count:
        yield concatenate(waiting)


def _split(clouds: PointClouds) -> Pieces:
    for start in range(0, len(clouds), CLOUDS_AT_ONCE):
        yield clouds[start : start + CLOUDS_AT_ONCE]
