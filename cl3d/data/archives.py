"""Unpacking a zip file that came over the network, trusting nothing in it."""

from __future__ import annotations

import errno
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from cl3d.data.roots import room_for
from cl3d.errors import InputError

_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack(archive: Path, members: Sequence[str], into: Path, max_bytes: int) -> None:
    """Writes the named members of a zip file to one folder, and nothing else.

    All entries are checked before the first byte is written, those that are not asked for included.

    Args:
        archive: the zip file.
        members: the entries wanted, e.g. ``"release/a.h5"``; only their last part is kept.
        into: an existing folder.
        max_bytes: how much the entries may unpack to in all.

    Raises:
        InputError: if the file is no zip file or damaged; if a member is missing or there twice; if
            any entry is encrypted, oddly compressed, a link or a device, points outside the archive,
            or the whole unpacks to more than ``max_bytes``.
        DiskFullError: if the members do not fit on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            _check_safe(archive, entries, max_bytes)
            wanted = [_only(archive, entries, member) for member in members]
            with room_for(into, sum(entry.file_size for entry in wanted)):
                for entry in wanted:
                    _extract(opened, entry, into / PurePosixPath(entry.filename).name)
    except InputError:
        raise
    except (*_DAMAGED, OSError) as error:
        # a position that cannot be; other failures of the system are not the file's fault
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise InputError(
            f"{archive} is damaged ({error}): get it again from where it was published"
        ) from error


def _check_safe(archive: Path, entries: Sequence[zipfile.ZipInfo], max_bytes: int) -> None:
    for entry in entries:
        fault = _fault(entry)
        if fault is not None:
            raise InputError(
                f"{archive} is not unpacked because its entry {entry.filename!r} {fault}: "
                "get it from where it was published"
            )
    declared = sum(entry.file_size for entry in entries)
    if declared > max_bytes:
        raise InputError(
            f"{archive} is not unpacked because it holds {declared:,} bytes where at most {max_bytes:,} "
            "are expected: get it from where it was published"
        )


def _fault(entry: zipfile.ZipInfo) -> str | None:
    # zip names use "/"; a backslash, a drive or a leading slash means a path on some system
    name, windows = PurePosixPath(entry.filename), PureWindowsPath(entry.filename)
    if name.is_absolute() or windows.drive or windows.root or "\\" in entry.filename:
        return "is an absolute path or one with backslashes"
    if ".." in name.parts:
        return "points outside the archive"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is neither stored nor deflated"
    return None


def _only(archive: Path, entries: Sequence[zipfile.ZipInfo], member: str) -> zipfile.ZipInfo:
    found = [entry for entry in entries if entry.filename == member]
    if len(found) != 1:
        raise InputError(
            f"{archive} has {len(found)} entries {member!r} instead of one: "
            "get it again from where it was published"
        )
    return found[0]


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    written = 0
    with opened.open(entry) as source, path.open("wb") as target:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > entry.file_size:
                raise zipfile.BadZipFile(f"{entry.filename} is longer than declared")
            target.write(chunk)
    if written != entry.file_size:
        raise zipfile.BadZipFile(f"{entry.filename} is shorter than declared")
