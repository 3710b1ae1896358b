"""Source: where a data set's raw clouds come from, before any setting is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cl3d.clouds import PointClouds
from cl3d.data.usable import check_usable
from cl3d.errors import InputError
from cl3d.progress import Progress, silent

Tell = Callable[[str], None]
"""Told, in one sentence, of something that is wrong."""


@dataclass(frozen=True)
class SourceFile:
    """A file of clouds and how it is read.

    Attributes:
        path: names the file in messages; relative to the source's folder it keys what is drawn for it.
        read: the clouds as stored, all at once or a few at a time, each time anew; points in any float
            dtype, labels that index the source's class names (those before ``keep``). Raises
            InputError, naming file and place, where there is something that cannot be used.
        label: of all its clouds, where that is known without reading.
    """

    path: Path
    read: Callable[[], Iterable[PointClouds]]
    label: int | None = None


@dataclass(frozen=True)
class Source:
    """All that :func:`cl3d.data.load.load` has to know of a release; making one reads no clouds.

    Attributes:
        name: of the data set, as on the command line.
        folder: holds all files; the prepared copy is put beside it.
        train, test: the files with clouds, in the order that the clouds get.
        class_names: one per label that the files use.
        part_names: one per part label; empty where parts are unknown.
        others: files that decide what is read beside those with clouds: lists, names, part labels.
        ragged: whether clouds may differ in the number of points; one with fewer than asked for then
            gives some of its points again. Otherwise both are refused.
        keep: the labels to keep, which become 0, 1, ... in this order; None for all.
        key: what draws are keyed by; the name if empty.
        per_file: whether each file's draws are keyed by its path, so that adding or removing another
            changes nothing; otherwise by the split, one file after another.
        options: the loader's own arguments that decide what the clouds are, as JSON takes them.

    Raises:
        InputError: if two classes have one name, or a class has none.
    """

    name: str
    folder: Path
    train: Sequence[SourceFile]
    test: Sequence[SourceFile]
    class_names: tuple[str, ...]
    part_names: tuple[str, ...] = ()
    others: Sequence[Path] = ()
    ragged: bool = False
    keep: tuple[int, ...] | None = None
    key: str = ""
    per_file: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.class_names:
            if not name.strip() or self.class_names.count(name) > 1:
                raise InputError(
                    f"{self.folder} has the class name {name!r} {self.class_names.count(name)} times: "
                    "give each class a name of its own"
                )

    @property
    def kept_names(self) -> tuple[str, ...]:
        """The names of the classes that are kept, in the order of the final labels."""
        return self.class_names if self.keep is None else tuple(self.class_names[i] for i in self.keep)

    def of_classes(self, name: str, class_names: Sequence[str]) -> Source:
        """The same clouds of some classes only, labelled in that order; draws stay what they are.

        Args:
            name: of the smaller data set.
            class_names: the classes to keep.

        Raises:
            InputError: naming the classes that are not there.
        """
        missing = [wanted for wanted in class_names if wanted not in self.class_names]
        if missing:
            raise InputError(
                f"the classes in {self.folder} lack {', '.join(missing)} of {name}: complete the release"
            )
        keep = tuple(self.class_names.index(wanted) for wanted in class_names)
        train, test = (
            [file for file in files if file.label in (None, *keep)] if self.per_file else files
            for files in (self.train, self.test)
        )
        key = self.key or self.name
        return replace(self, name=name, key=key, keep=keep, train=train, test=test)

    def relative(self, path: Path) -> str:
        """A file's path below the folder, with slashes."""
        text, above = path.as_posix(), f"{self.folder.as_posix()}/"
        if text.startswith(above):
            return text.removeprefix(above)  # much faster than pathlib, for tens of thousands of files
        return path.relative_to(self.folder).as_posix()

    def fingerprint(self) -> str:
        """A hash of the relative path, size and time of last change of every file.

        Raises:
            InputError: naming a file that is not there.
        """
        digest = hashlib.blake2b(digest_size=16)
        for path in (*(file.path for file in (*self.train, *self.test)), *self.others):
            try:
                status = path.stat()
            except OSError as error:
                raise InputError(
                    f"{path} cannot be found ({error.strerror}): complete the release, "
                    "or remove its folder to begin anew"
                ) from error
            digest.update(f"{self.relative(path)}\x1f{status.st_size}\x1f{status.st_mtime_ns}\x1e".encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        """All that decides what the clouds are, but for the settings, as JSON takes it."""
        return {
            "name": self.name,
            "class_names": list(self.class_names),
            "part_names": list(self.part_names),
            "keep": None if self.keep is None else list(self.keep),
            "ragged": self.ragged,
            "draws": [self.key or self.name, self.per_file],
            "options": dict(self.options),
            "files": [len(self.train), len(self.test)],
            "fingerprint": self.fingerprint(),
        }


class Reader:
    """Reads the files of a source and refuses what cannot be used."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._first: tuple[Path, int, bool] | None = None

    def read(self, file: SourceFile) -> Iterator[PointClouds]:
        """The clouds of a file as stored, a few at a time.

        Raises:
            InputError: naming the file, if it cannot be read, has no clouds, clouds that are not finite,
                empty or of one point, labels or parts without a name, or does not fit the files read before.
        """
        seen = 0
        for clouds in file.read():
            self._check(clouds, file.path, seen)
            seen += len(clouds)
            yield clouds
        if seen == 0:
            raise InputError(f"{file.path} has no clouds: give at least one, or remove the file")

    def _check(self, clouds: PointClouds, path: Path, seen: int) -> None:
        check_usable(clouds, str(path), range(seen, seen + len(clouds)))
        if clouds.num_points < 2:
            raise InputError(f"{path} has one point per cloud: give at least two that differ, or remove it")
        _check_names(path, "label", clouds.labels.unique().tolist(), self.source.class_names)
        if clouds.parts is not None and self.source.part_names:
            _check_names(path, "part", clouds.parts.unique().tolist(), self.source.part_names)
        if self._first is None:
            self._first = path, clouds.num_points, clouds.parts is not None
        first, num_points, parts = self._first
        if (clouds.parts is not None) != parts:
            raise InputError(
                f"only one of {path} and {first} has part labels: give them for all, or for none"
            )
        if clouds.num_points != num_points and not self.source.ragged:
            if path == first:
                raise InputError(
                    f"{path} has clouds of {num_points} and of {clouds.num_points} points: "
                    "give all of them as many"
                )
            raise InputError(
                f"{path} has {clouds.num_points} points per cloud, {first} has {num_points}: "
                "the files do not belong together, so get all of them from one release"
            )


def bad_files(source: Source, tell: Tell, progress: Progress = silent) -> int:
    """Reads every file of a source, and goes on where one cannot be used.

    Args:
        tell: told of each file that cannot be used.
        progress: counts the files.

    Returns:
        How many cannot be used.
    """
    reader, bad = Reader(source), 0
    files = (*source.train, *source.test)
    with progress(f"checking {source.name}", len(files)) as advance:
        for file in files:
            try:
                for _ in reader.read(file):
                    pass
            except InputError as error:
                tell(str(error))
                bad += 1
            advance(file.path.name)
    return bad


def _check_names(path: Path, what: str, labels: Sequence[int], names: Sequence[str]) -> None:
    outside = [label for label in labels if not 0 <= label < len(names)]
    if outside:
        raise InputError(
            f"{path} has the {what} {outside[0]}, but there are {len(names)} names: "
            f"{what}s index the names, from 0, so repair the file or the names"
        )
