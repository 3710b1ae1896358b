"""STL: triangles in text or binary."""

from __future__ import annotations

import numpy as np

from cl3d.data.formats.binary import error, strided
from cl3d.data.formats.geometry import Geometry, Points, refuse_not_finite
from cl3d.data.formats.lines import MARK, Block, Lines, shown

HEADER = 84
"""Bytes of a binary file before its triangles: free text, and their count in the last four."""

RECORD = 50
"""Bytes of a binary triangle: a normal and three corners of three floats each, and two more."""


def parse(data: bytes, source: str) -> Geometry:
    """The triangles of an STL file; three points each, of which none is shared.

    Binary is told from text by its size, as its free text may begin with ``solid`` like the other
    form. Normals are ignored. A text may hold several solids.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line, or the byte in a binary file.
    """
    points = _text(data, source) if _is_text(data) else _binary(data, source)
    faces = np.arange(len(points), dtype=np.int64).reshape(-1, 3)
    return Geometry(points, faces if len(faces) else None)


def _is_text(data: bytes) -> bool:
    if len(data) >= HEADER and len(data) == HEADER + RECORD * _count(data):
        return False
    # a damaged binary file may begin with "solid", too, but its count has zero bytes, and no text has
    return data.removeprefix(MARK).lstrip()[:5].lower() == b"solid" and b"\0" not in data[:HEADER]


def _count(data: bytes) -> int:
    return int.from_bytes(data[HEADER - 4 : HEADER], "little")


def _binary(data: bytes, source: str) -> Points:
    if len(data) < HEADER:
        raise error(
            source, len(data), f"the file ends in its header of {HEADER} bytes; get the STL file again"
        )
    count, held = _count(data), len(data) - HEADER
    if held != count * RECORD:
        raise error(
            source,
            HEADER - 4,
            f"{count} triangles of {RECORD} bytes are promised, but {held} bytes follow; get it again",
        )
    points = np.empty((count, 3, 3), dtype=np.float32)
    for corner in range(3):
        starts = tuple(HEADER + 12 * (corner + 1) + 4 * axis for axis in range(3))
        points[:, corner] = strided(data, ("<f4",) * 3, starts, count, (RECORD,) * 3)
    flat = points.reshape(-1, 3)
    refuse_not_finite(
        flat,
        lambda i: f"{source}, byte {HEADER + RECORD * (i // 3) + 12 * (i % 3 + 1)}",
        "repair the triangle",
    )
    return flat


# which line may follow which: by the state before it, each keyword that is allowed, and the state after it
_AFTER_SOLID, _END = 1, 8
_GRAMMAR: tuple[dict[bytes, int], ...] = (
    {b"solid": _AFTER_SOLID},
    {b"facet": 2, b"endsolid": _END},
    {b"outer": 3},
    {b"vertex": 4},
    {b"vertex": 5},
    {b"vertex": 6},
    {b"endloop": 7},
    {b"endfacet": _AFTER_SOLID},
    {b"solid": _AFTER_SOLID},
)


def _text(data: bytes, source: str) -> Points:
    lines = Lines(data, source)
    pieces = [np.empty((0, 3), np.float32)]
    state = 0
    for block in lines.blocks():
        keywords = [row[0].lower() for row in block.rows]
        state = _follow(block, keywords, state)
        pairs = zip(keywords, block.rows, block.numbers, strict=True)
        corners = [(row, number) for keyword, row, number in pairs if keyword == b"vertex"]
        if corners:
            chosen = Block(lines, [row for row, _ in corners], [number for _, number in corners])
            chosen.check_width(4)
            pieces.append(chosen.coordinates((1, 2, 3)))
    if state != _END:
        raise lines.error(lines.number, "the file ends before endsolid; get it again")
    return np.concatenate(pieces)


def _follow(block: Block, keywords: list[bytes], state: int) -> int:
    """The state after a block, whose lines must come in the order of the grammar."""
    for index, keyword in enumerate(keywords):
        after = _GRAMMAR[state].get(keyword)
        if after is None:
            wanted = " or ".join(word.decode() for word in _GRAMMAR[state])
            raise block.lines.error(
                block.numbers[index],
                f"{shown(block.rows[index][0])} stands where {wanted} must; repair the file",
            )
        state = after
    return state
