"""OFF: the object file format of Geomview and ModelNet."""

from __future__ import annotations

import re

import numpy as np

from cl3d.data.formats.geometry import Geometry, Points
from cl3d.data.formats.lines import Lines, count_of, shown
from cl3d.data.formats.polygons import Polygons

# with texture coordinates, colours or normals after each vertex's coordinates
_KEYWORD = re.compile(rb"(ST)?C?N?OFF")


def parse(data: bytes, source: str) -> Geometry:
    """The vertices and polygons of an OFF file, the polygons cut into fans of triangles.

    The counts may follow ``OFF`` on its line, even without a space, as in parts of ModelNet40.
    Comments begin with ``#``. What follows a vertex's coordinates or a polygon's corners (colours,
    normals) is ignored; a file without polygons is a plain cloud. The format's variants in four or
    n dimensions and in binary are refused.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line.
    """
    lines = Lines(data, source, comment=b"#")
    num_vertices, num_faces = _counts(lines)
    points = _vertices(lines, num_vertices)
    faces = _faces(lines, num_faces)
    lines.finish(f"its {num_vertices} vertices and {num_faces} faces")
    return Geometry(points, faces.triangles(num_vertices))


def _counts(lines: Lines) -> tuple[int, int]:
    tokens = lines.next("OFF")
    keyword = _KEYWORD.match(tokens[0])
    if keyword is None:
        raise lines.error(lines.number, f"{shown(tokens[0])} stands where OFF must; give an OFF text file")
    rest = tokens[0][keyword.end() :]
    tokens = ([rest] if rest else []) + tokens[1:] or lines.next("its counts")
    counts = [count_of(token) for token in tokens]
    # the number of edges is often left out, and means nothing
    if len(counts) not in (2, 3) or counts[0] is None or counts[1] is None:
        found = " ".join(shown(token) for token in tokens[:4])
        raise lines.error(
            lines.number, f"the counts are {found}; give those of vertices, faces and edges as whole numbers"
        )
    if counts[0] + counts[1] > lines.left:
        raise lines.error(
            lines.number,
            f"{counts[0]} vertices and {counts[1]} faces are promised, but only {lines.left} lines follow; "
            "get the file again",
        )
    return counts[0], counts[1]


def _vertices(lines: Lines, count: int) -> Points:
    pieces = [np.empty((0, 3), np.float32)]
    # all rows as wide as the first, so that none lost its end
    width = max(3, len(lines.peek()))
    for block in lines.blocks(count, "vertices"):
        block.check_width(width)
        pieces.append(block.coordinates((0, 1, 2)))
    return np.concatenate(pieces)


def _faces(lines: Lines, count: int) -> Polygons:
    faces = Polygons(lines.source, "line")
    for block in lines.blocks(count, "faces"):
        sizes = block.whole([row[:1] for row in block.rows])
        faces.check_sizes(sizes, block.numbers)
        corners = [row[1 : size + 1] for row, size in zip(block.rows, sizes.tolist(), strict=True)]
        block.check_lists(corners, sizes)
        faces.add(sizes, block.whole(corners), block.numbers)
    return faces
