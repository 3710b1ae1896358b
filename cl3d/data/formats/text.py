"""Text: the columns of .pts, .txt and .xyz files."""

from __future__ import annotations

import numpy as np

from cl3d.data.formats.geometry import Geometry
from cl3d.data.formats.lines import Lines, count_of


def parse(data: bytes, source: str) -> Geometry:
    """The points of a text file with a point a row, its coordinates in the first three columns.

    Columns stand between blanks, or between commas where the first row has one; the columns after the
    third are ignored, but each row must have as many. Blank lines are skipped and ``#`` begins a comment.
    A first row of one whole number is the number of points.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line.
    """
    lines = Lines(data, source, comment=b"#")
    count, width = _begin(lines)
    pieces = [np.empty((0, 3), np.float32)]
    for block in lines.blocks(count, "points"):
        block.check_width(width)
        pieces.append(block.coordinates((0, 1, 2)))
    lines.finish(f"its {count} points")
    return Geometry(np.concatenate(pieces))


def _begin(lines: Lines) -> tuple[int | None, int]:
    """The number of points where it is given, and the number of columns."""
    first = lines.peek()
    count = count_of(first[0]) if len(first) == 1 else None
    if count is not None:
        lines.next("the points")
        first = lines.peek()
    if any(b"," in token for token in first):
        lines.separator = b","
        first = lines.peek()
    if first and len(first) < 3:
        raise lines.error(
            lines.next_number, f"the row has {len(first)} columns; give x, y and z in the first three"
        )
    return count, len(first)
