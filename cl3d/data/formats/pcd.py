"""PCD: clouds as the Point Cloud Library writes them, in text, binary and compressed."""

from __future__ import annotations

import numpy as np

from cl3d.data.formats.binary import error, strided
from cl3d.data.formats.geometry import Geometry, Points, refuse_not_finite
from cl3d.data.formats.lines import Lines
from cl3d.data.formats.lzf import MOST, decompress
from cl3d.data.formats.pcd_header import Header, read_header

_ADVICE = "PCD marks invalid returns so, remove them first"


def parse(data: bytes, source: str) -> Geometry:
    """The points of a PCD file, versions 0.5 to 0.7, with DATA ascii, binary or binary_compressed.

    x, y and z may be floats or integers of any size; other fields are skipped, and the viewpoint is
    ignored. Points with NaN, which mark invalid returns, are refused rather than dropped: a cloud would
    silently have fewer points than its file. Compressed data may become up to 88 times as large.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line in the header or in text, the byte in binary; in compressed data,
            where the bytes of a point are spread, the point.
    """
    header = read_header(data, source)
    readers = {"ascii": _text, "binary": _binary, "binary_compressed": _compressed}
    return Geometry(readers[header.encoding](data, source, header))


def _text(data: bytes, source: str, header: Header) -> Points:
    lines = Lines(data[header.body :], source, header.line)
    width = sum(field.count for field in header.fields)
    x, y, z = (header.column(axis) for axis in range(3))
    pieces = [np.empty((0, 3), np.float32)]
    for block in lines.blocks(header.points, "points"):
        block.check_width(width)
        pieces.append(block.coordinates((x, y, z), _ADVICE))
    lines.finish(f"its {header.points} points")
    return np.concatenate(pieces)


def _binary(data: bytes, source: str, header: Header) -> Points:
    end = header.body + header.points * header.stride
    if end > len(data):
        raise error(
            source,
            header.body,
            f"{header.points} points of {header.stride} bytes are promised, but only "
            f"{len(data) - header.body} bytes follow; get the file again",
        )
    _check_padding(data, source, end)
    starts = tuple(header.body + header.offset(axis) for axis in range(3))
    points = strided(data, header.kinds, starts, header.points, (header.stride,) * 3)
    refuse_not_finite(points, lambda i: f"{source}, byte {header.body + i * header.stride}", _ADVICE)
    return points


def _compressed(data: bytes, source: str, header: Header) -> Points:
    body = header.body + 8
    if len(data) < body:
        raise error(source, len(data), "the file ends before its compressed data; get it again")
    packed, size = (int.from_bytes(data[body - 8 + 4 * i : body - 4 + 4 * i], "little") for i in range(2))
    if packed > len(data) - body or size > packed * MOST:
        raise error(
            source,
            body - 8,
            f"{packed} bytes that become {size} are promised, but {len(data) - body} follow and each "
            f"becomes at most {MOST}; get the file again",
        )
    if size != header.points * header.stride:
        raise error(
            source,
            body - 4,
            f"{size} bytes are promised where {header.points} points of {header.stride} bytes are; "
            "get the file again",
        )
    _check_padding(data, source, body + packed)
    unpacked = decompress(memoryview(data)[body : body + packed], size)
    if unpacked is None:
        raise error(
            source, body, f"the compressed data are damaged or do not become {size} bytes; get them again"
        )
    # all values of a field stand together
    starts = tuple(header.offset(axis) * header.points for axis in range(3))
    sizes = tuple(header.fields[i].size for i in header.axes)
    points = strided(unpacked, header.kinds, starts, header.points, sizes)
    refuse_not_finite(points, lambda _: f"{source}, in its compressed data", _ADVICE)
    return points


def _check_padding(data: bytes, source: str, end: int) -> None:
    """Early releases of the library leave up to a page of zeros behind the points."""
    rest = data[end:]
    if rest.count(0) != len(rest):
        raise error(source, end, f"{len(rest)} bytes follow the points that are promised; correct the header")
