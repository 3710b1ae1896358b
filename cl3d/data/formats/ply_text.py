"""The rows of a PLY file in text."""

from __future__ import annotations

import numpy as np

from cl3d.data.formats.geometry import Points
from cl3d.data.formats.lines import Block, Lines, Tokens
from cl3d.data.formats.ply_header import Element, Header
from cl3d.data.formats.polygons import Polygons


def read_text(
    data: bytes, source: str, header: Header, coordinates: tuple[int, int, int], corners: int | None
) -> tuple[Points, Polygons]:
    """Reads vertices and faces, a row a line, and walks past other elements.

    Args:
        coordinates: the positions of x, y and z among the properties of a vertex.
        corners: that of the list of corners among those of a face; None where there are no faces.

    Raises:
        InputError: naming the line.
    """
    lines = Lines(data[header.body :], source, header.line)
    pieces = [np.empty((0, 3), np.float32)]
    faces = Polygons(source, "line")
    for element in header.elements:
        # rows without properties leave no trace
        for block in lines.blocks(element.count if element.properties else 0, f"rows of {element.name!r}"):
            starts = _starts(block, element)
            if element.name == "vertex":
                pieces.append(_points(block, starts, coordinates))
            elif element.name == "face" and corners is not None:
                _add_faces(faces, block, starts, corners)
    lines.finish("the rows that are promised")
    return np.concatenate(pieces), faces


def _starts(block: Block, element: Element) -> list[list[int]] | None:
    """The token at which each property of each row begins; None where it is that of the same number."""
    if not element.has_lists:
        block.check_width(len(element.properties))
        return None
    lists = [property.count is not None for property in element.properties]
    starts = [_walk(row, lists, block.lines) for row in block.rows]
    for number, row, found in zip(block.numbers, block.rows, starts, strict=True):
        if not found or found[-1] != len(row):
            raise block.lines.error(
                number, f"the row of {len(row)} values does not end with its last list or value; repair it"
            )
    return starts


def _walk(row: Tokens, lists: list[bool], lines: Lines) -> list[int]:
    """Where each property begins and the last one ends; nothing if a list has no length."""
    starts, at = [], 0
    for is_list in lists:
        starts.append(at)
        at += 1
        if is_list:
            try:
                length = lines.to_int(row[at - 1])
            except (ValueError, IndexError):
                return []
            if length < 0:
                return []
            at += length
    starts.append(at)
    return starts


def _points(block: Block, starts: list[list[int]] | None, coordinates: tuple[int, int, int]) -> Points:
    if starts is None:
        return block.coordinates(coordinates)
    rows = [[row[start[i]] for i in coordinates] for row, start in zip(block.rows, starts, strict=True)]
    return Block(block.lines, rows, block.numbers).coordinates((0, 1, 2))


def _add_faces(faces: Polygons, block: Block, starts: list[list[int]] | None, corners: int) -> None:
    assert starts is not None, "a face has a list of corners"
    pairs = list(zip(block.rows, starts, strict=True))
    lists = [row[start[corners] + 1 : start[corners + 1]] for row, start in pairs]
    sizes = np.array([len(tokens) for tokens in lists], dtype=np.int64)
    faces.check_sizes(sizes, block.numbers)
    faces.add(sizes, block.whole(lists), block.numbers)
