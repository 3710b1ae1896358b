"""OBJ: the vertices and faces of Wavefront's text format."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cl3d.data.formats.geometry import Geometry, Points
from cl3d.data.formats.lines import Block, Lines
from cl3d.data.formats.polygons import Ints, Polygons


def parse(data: bytes, source: str) -> Geometry:
    """The vertices (``v``) and polygons (``f``) of an OBJ file, the polygons cut into fans of triangles.

    A corner is ``a``, ``a/b``, ``a//c`` or ``a/b/c``, of which the vertex ``a`` is read; negative ones
    count back from the last vertex so far. Everything else is ignored: groups, materials, normals,
    colours or weights after a vertex's coordinates, curves. Lines of ``v`` and ``f`` that a backslash
    continues on the next line are refused; a file without faces is a plain cloud.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line.
    """
    lines = Lines(data, source, comment=b"#")
    faces = Polygons(source, "line")
    pieces = [np.empty((0, 3), np.float32)]
    seen = 0
    for block in lines.blocks():
        kinds = np.array([_KINDS.get(row[0], 0) for row in block.rows], dtype=np.int8)
        # how many vertices there are when each line is reached: what negative corners count back from
        known = seen + (kinds == _VERTEX).cumsum()
        pieces.append(_vertices(_only(block, kinds == _VERTEX)))
        _add_faces(faces, _only(block, kinds == _FACE), known[kinds == _FACE])
        seen = int(known[-1])
    return Geometry(np.concatenate(pieces), faces.triangles(seen))


_VERTEX, _FACE = 1, 2
_KINDS = {b"v": _VERTEX, b"f": _FACE}


def _only(block: Block, chosen: npt.NDArray[np.bool_]) -> Block:
    held = np.flatnonzero(chosen).tolist()
    return Block(block.lines, [block.rows[i] for i in held], [block.numbers[i] for i in held])


def _vertices(block: Block) -> Points:
    for number, row in zip(block.numbers, block.rows, strict=True):
        if len(row) < 4:
            raise block.lines.error(number, f"the vertex has {len(row) - 1} coordinates; give x, y and z")
    return block.coordinates((1, 2, 3)) if block.rows else np.empty((0, 3), np.float32)


def _add_faces(faces: Polygons, block: Block, known: Ints) -> None:
    sizes = np.array([len(row) - 1 for row in block.rows], dtype=np.int64)
    faces.check_sizes(sizes, block.numbers)
    corners = block.whole([[token.partition(b"/")[0] for token in row[1:]] for row in block.rows])
    if (corners == 0).any():
        owner = int(sizes.cumsum().searchsorted(int((corners == 0).argmax()), side="right"))
        raise block.lines.error(
            block.numbers[owner],
            "the face has corner 0; corners count from 1, or from -1 backwards",
        )
    backwards = corners < 0
    # what counts back beyond the first vertex stays negative, which is refused with all that are no points
    corners = np.where(backwards, corners + np.repeat(known, sizes), corners - 1)
    faces.add(sizes, corners, block.numbers)
