"""Files of one shape each: clouds and meshes in the usual formats, each read by a small parser of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cl3d.data.formats import npy, obj, off, pcd, ply, stl, text
from cl3d.data.formats.geometry import Geometry, check_geometry
from cl3d.errors import InputError

__all__ = ["ENDINGS", "Geometry", "check_geometry", "content", "read"]

_PARSERS: dict[str, Callable[[bytes, str], Geometry]] = {
    ".ply": ply.parse,
    ".off": off.parse,
    ".obj": obj.parse,
    ".stl": stl.parse,
    ".pcd": pcd.parse,
    ".pts": text.parse,
    ".txt": text.parse,
    ".xyz": text.parse,
    ".npy": npy.parse,
}

ENDINGS = tuple(_PARSERS)
"""The endings of the files that :func:`read` reads, in lower case."""


def read(path: Path) -> Geometry:
    """Reads the shape in one file, in the format that its ending names, in upper or lower case.

    The memory this takes is bounded by a small multiple of the file's size, whatever its header says.

    Returns:
        What the file holds, checked by :func:`check_geometry`.

    Raises:
        InputError: naming the file, and the line or byte in it where one is at fault: if it has
            another ending, is absent, empty, truncated or damaged, holds other numbers of points or
            faces than it promises, coordinates that are not finite, faces whose corners are no
            points, fewer than two points, or all in one place.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise InputError(f"{path} ends in {path.suffix!r}; give a file that ends in {', '.join(ENDINGS)}")
    geometry = parse(content(path), str(path))
    check_geometry(geometry, str(path))
    return geometry


def content(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        InputError: naming the file, if it is absent, cannot be read, or is empty.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file: give one that exists")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}): make it readable or get it again") from error
    if not data:
        raise InputError(f"{path} is empty (0 bytes): get it again")
    return data
