"""Releases of data sets: found on disk, or downloaded, verified and put in place at once."""

from __future__ import annotations

import hashlib
import logging
import shutil
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import pooch

from cl3d.data.archives import unpack
from cl3d.data.roots import DiskFullError, find, place
from cl3d.data.transfer import TRANSFER_ERRORS, Report, ResumingDownloader
from cl3d.errors import InputError


@dataclass(frozen=True)
class Release:
    """A data set as published: a zip file with one folder.

    Attributes:
        title: what people call it, e.g. ``"ModelNet40"``.
        folder: the folder in the zip file and on disk.
        url: the zip file.
        page: where people read about it.
        files: the files needed from the folder, each with its md5, or None where none is published.
            The first one identifies a renamed folder.
        max_bytes: more than the zip file can unpack to.
    """

    title: str
    folder: str
    url: str
    page: str
    files: Mapping[str, str | None]
    max_bytes: int


def obtain(
    release: Release,
    root: str | Path | None = None,
    download: bool = True,
    report: Report | None = None,
) -> Path:
    """The folder of a release: where it is, or else downloaded to the data root.

    A broken download is continued by the next call. Of several processes one downloads, and the
    others wait for it.

    Args:
        release: what to get.
        root: see :func:`cl3d.data.roots.find`.
        download: whether to fetch the release where it is absent.
        report: told of progress, with the bytes held and the bytes in all.

    Raises:
        InputError: if the release is absent and cannot be downloaded, or is not what was published.
        DiskFullError: if it does not fit on the disk.
    """
    marker = next(iter(release.files))
    target = place(release.folder, root)
    try:
        found = find(release.folder, marker, root)
        if found is not None:
            return found
        if not download:
            raise _absent(release, target, "download is off")
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(_beside(target, ".lock")):
            # another process may have brought it while this one waited
            return find(release.folder, marker, root) or _install(release, target, report)
    except TRANSFER_ERRORS as error:
        raise _absent(release, target, f"it could not be downloaded: {_reason(error)}") from error


def _install(release: Release, target: Path, report: Report | None) -> Path:
    """Downloads, unpacks beside the target, verifies, and renames: the target is whole or absent."""
    archive, staging = _beside(target, ".zip"), _beside(target, ".unpacking")
    # a file that is there already is used, but it is not this function's to remove
    fetched = not archive.exists()
    _fetch(release.url, archive, report)
    try:
        # what a killed process left; the lock keeps out living ones
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        members = [f"{release.folder}/{name}" for name in release.files]
        unpack(archive, members, staging, release.max_bytes)
        _verify(release, staging, archive)
        staging.rename(target)
    except DiskFullError:
        raise
    except InputError:
        if fetched:
            archive.unlink()
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    if fetched:
        archive.unlink()
    return target


def _fetch(url: str, archive: Path, report: Report | None) -> None:
    downloader = ResumingDownloader(_beside(archive, ".part"), report)
    with _quiet(pooch.get_logger()):
        # no hash of the zip file is published: its members are verified instead
        pooch.retrieve(url, known_hash=None, fname=archive.name, path=archive.parent, downloader=downloader)


def _verify(release: Release, folder: Path, archive: Path) -> None:
    for name, expected in release.files.items():
        if expected is None:
            continue
        with (folder / name).open("rb") as file:
            actual = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if actual != expected:
            raise InputError(
                f"{archive} is not {release.title} as published: its {name} has the md5 {actual} "
                f"instead of {expected}; get it again from {release.url}"
            )


def _absent(release: Release, target: Path, reason: str) -> InputError:
    return InputError(
        f"{release.title} is not in {target} and {reason}; fetch {release.url} (see {release.page}) and "
        f"unpack it to {target}, or use dataset=shapes40, which needs no download"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keeps pooch from printing: progress is the caller's to show."""

    def passes(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger.addFilter(passes)
    try:
        yield
    finally:
        logger.removeFilter(passes)
