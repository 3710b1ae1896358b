"""PLY: Stanford's polygon format, in text and in binary of either byte order."""

from __future__ import annotations

from cl3d.data.formats.geometry import Geometry
from cl3d.data.formats.ply_binary import read_binary
from cl3d.data.formats.ply_header import Element, Header, read_header
from cl3d.data.formats.ply_text import read_text
from cl3d.errors import InputError

CORNERS = ("vertex_indices", "vertex_index")
"""The names under which a face lists its corners."""


def parse(data: bytes, source: str) -> Geometry:
    """The vertices and faces of a PLY file, polygons cut into fans of triangles.

    x, y and z may be of any type; all other properties and elements are skipped, triangle strips among
    them. The file must end with its last row. A file without faces is a plain cloud.

    Args:
        data: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: naming the line in the header or in text, the byte in binary.
    """
    header = read_header(data, source)
    coordinates, corners = _coordinates(header, source), _corners(header, source)
    reader = read_binary if header.order else read_text
    points, faces = reader(data, source, header, coordinates, corners)
    return Geometry(points, faces.triangles(len(points)))


def _coordinates(header: Header, source: str) -> tuple[int, int, int]:
    """The positions of x, y and z among the properties of a vertex."""
    vertex = _element(header, "vertex")
    if vertex is None:
        raise InputError(f"{source}, line {header.line - 1}: the header has no element 'vertex'; give one")
    x, y, z = (vertex.position(name, is_list=False) for name in "xyz")
    if x is None or y is None or z is None:
        raise InputError(f"{source}, line {vertex.line}: a vertex lacks x, y or z; give each as one number")
    return x, y, z


def _corners(header: Header, source: str) -> int | None:
    """The position of the list of corners among the properties of a face."""
    face = _element(header, "face")
    if face is None or face.count == 0:
        return None
    found = [face.position(name, is_list=True) for name in CORNERS]
    positions = [position for position in found if position is not None]
    if not positions or face.properties[positions[0]].kind[0] == "f":
        raise InputError(
            f"{source}, line {face.line}: a face has no list of integers {' or '.join(CORNERS)}; give one"
        )
    return positions[0]


def _element(header: Header, name: str) -> Element | None:
    return next((element for element in header.elements if element.name == name), None)
