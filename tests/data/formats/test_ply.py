"""PLY files, text and binary of both byte orders."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from format_writers import CODES, Array, Reader, Refusal, ply, ply_header, text

LITTLE, BIG = "binary_little_endian", "binary_big_endian"
XYZ = [f"property float {axis}" for axis in "xyz"]


@pytest.mark.parametrize("form", ["ascii", LITTLE, BIG])
@pytest.mark.parametrize("kind", ["float", "double"])
def test_reads_points_and_fans(
    load: Reader, points: Array, polygons: list[list[int]], fans: list[list[int]], form: str, kind: str
) -> None:
    geometry = load("a.ply", ply(points, polygons, form, kind))
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is not None
    assert geometry.faces.dtype == np.int64
    assert geometry.faces.tolist() == fans


@pytest.mark.parametrize("form", ["ascii", LITTLE, BIG])
@pytest.mark.parametrize("kind", sorted(CODES))
def test_coordinates_of_any_type(load: Reader, form: str, kind: str) -> None:
    whole = np.array([[1, 2, 3], [5, 7, 11], [13, 17, 19], [23, 29, 127]])
    assert load("a.ply", ply(whole, (), form, kind)).points.tolist() == whole.tolist()
    sized = ply(whole, (), form, kind)
    for name, other in (("float", "float32"), ("double", "float64"), ("uchar", "uint8"), ("short", "int16")):
        sized = sized.replace(b"property " + name.encode() + b" ", b"property " + other.encode() + b" ")
    assert load("b.ply", sized).points.tolist() == whole.tolist()


@pytest.mark.parametrize("form", ["ascii", LITTLE, BIG])
def test_without_faces_it_is_a_cloud(load: Reader, points: Array, form: str) -> None:
    assert load("a.ply", ply(points, (), form)).faces is None


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_endings_of_header_lines(load: Reader, points: Array, ending: bytes) -> None:
    content = ply(points, [[0, 1, 2]])
    assert np.array_equal(load("a.ply", content.replace(b"\n", ending)).points, points)
    # the first byte of the rows is that of a newline
    head, rows = (
        ply_header(LITTLE, "element vertex 2", *(f"property uchar {a}" for a in "xyz")),
        b"\n\n\n\r\r\r",
    )
    assert load("b.ply", head.replace(b"\n", ending) + rows).points.tolist() == [[10] * 3, [13] * 3]


# z, a list, x, a double, y, and a list of doubles; elements between and after, and faces with values around
MIXED = (
    "comment made by hand: größe",
    "obj_info nothing",
    "element vertex 3",
    "property short z",
    "property list uchar ushort friends",
    "property float x",
    "property double weight",
    "property uchar y",
    "property list int double more",
    "element empty 99999999",
    "element edge 2",
    "property int a",
    "property list short int b",
    "element face 2",
    "property list uchar float texcoord",
    "property uchar red",
    "property list ushort uint vertex_index",
    "property float last",
    "element tristrips 1",
    "property list int int vertex_indices",
)
MIXED_ROWS = (
    [("h", -3), ("BHH", 2, 500, 600), ("f", 1.5), ("d", 0.25), ("B", 200), ("i", 0)],
    [("h", 300), ("B", 0), ("f", 2.5), ("d", 0.25), ("B", 100), ("idd", 2, 0.5, 0.75)],
    [("h", 7), ("BHHH", 3, 1, 2, 3), ("f", -1.5), ("d", 0.25), ("B", 0), ("id", 1, 0.5)],
    [("i", 1), ("hi", 1, 2)],
    [("i", 1), ("h", 0)],
    [("Bff", 2, 0.5, 0.5), ("B", 9), ("HIIII", 4, 0, 1, 2, 0), ("f", 0.5)],
    [("B", 0), ("B", 9), ("HIII", 3, 2, 1, 0), ("f", 0.5)],
    [("iiii", 3, 0, 1, 2)],
)


def mixed(form: str) -> bytes:
    values = [value for row in MIXED_ROWS for value in row]
    if form == "ascii":
        body = b"".join(
            " ".join(str(number) for _, *numbers in row for number in numbers).encode() + b"\n"
            for row in MIXED_ROWS
        )
    else:
        order = "<" if form == LITTLE else ">"
        body = b"".join(struct.pack(order + codes, *numbers) for codes, *numbers in values)
    return ply_header(form, *MIXED) + body


@pytest.mark.parametrize("form", ["ascii", LITTLE, BIG])
def test_other_properties_and_elements_are_skipped(load: Reader, form: str) -> None:
    geometry = load("a.ply", mixed(form))
    assert geometry.points.tolist() == [[1.5, 200, -3], [2.5, 100, 300], [-1.5, 0, 7]]
    assert geometry.faces is not None
    assert geometry.faces.tolist() == [[0, 1, 2], [0, 2, 0], [2, 1, 0]]


@pytest.mark.parametrize("form", [LITTLE, BIG])
def test_a_binary_file_cut_anywhere_is_refused(check_refused: Refusal, form: str) -> None:
    whole = mixed(form)
    for kept in range(1, len(whole)):
        check_refused("a.ply", whole[:kept], r"a\.ply, (line|byte) \d+: ")


def test_a_text_cut_after_any_value_is_refused(check_refused: Refusal) -> None:
    whole = mixed("ascii")
    for kept, byte in enumerate(whole[:-1]):
        if kept and byte in b" \n":
            check_refused("a.ply", whole[:kept], r"a\.ply, line \d+: ")


@pytest.mark.parametrize("form", ["ascii", LITTLE, BIG])
def test_more_than_is_promised_is_refused(check_refused: Refusal, form: str) -> None:
    unit, place = ("line", 32) if form == "ascii" else ("byte", len(mixed(form)))
    check_refused("a.ply", mixed(form) + b"\x31", f"{unit} {place}: .*(goes on|1 bytes follow)")


def head(*lines: str, form: str = "ascii") -> bytes:
    return ply_header(form, *lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PLY\n", "line 1: the file does not begin"),
        (b"plyformat\n", "line 1: the file does not begin"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\n", "line 4: the file ends before end_header"),
        (b"ply\nend_header\n", "line 2: the header has no line 'format'"),
        (b"ply\nformat ascii 2.0\nend_header\n", "line 2: 'format ascii 2.0' is not a line"),
        (b"ply\nformat binary 1.0\nend_header\n", "line 2: 'format binary 1.0' is not a line"),
        (head("property float x"), "line 3: 'property float x' is not a line"),
        (head("element vertex -1"), "line 3: 'element vertex -1' is not a line"),
        (head("element vertex 1.5"), "line 3: 'element vertex 1.5' is not a line"),
        (head("element vertex " + "9" * 5000), "line 3: 'element vertex 9+' is not a line"),
        (head("element vertex 1", "property real x"), "line 4: 'real' is not a type; give one of char"),
        (
            head("element vertex 1", "property list float int x"),
            "line 4: a list has a length of type 'float'",
        ),
        (head("element vertex 1", "property float x", "property int x"), "line 5: the property 'x' is there"),
        (head("element vertex 1", "element vertex 1"), "line 4: the element 'vertex' is there"),
        (head("element face 0"), "line 4: the header has no element 'vertex'"),
        (head("element vertex 1", *XYZ[:2]), "line 3: a vertex lacks x, y or z"),
        (head("element vertex 1", *XYZ[:2], "property list char int z"), "line 3: a vertex lacks x, y or z"),
        (
            head("element vertex 2", *XYZ, "element face 1", "property list uchar int corners"),
            "line 7: a face has no list of integers vertex_indices or vertex_index",
        ),
        (
            head("element vertex 2", *XYZ, "element face 1", "property list uchar float vertex_index"),
            "line 7: a face has no list of integers",
        ),
        (head("element vertex 0", *XYZ), "has no points"),
        (head("element vertex 2", *XYZ) + b"1 1 1\n1 1 1\n", "has no extent"),
        (bytes(range(256)), "line 1: the file does not begin"),
    ],
)
def test_unusable_headers(check_refused: Refusal, content: bytes, message: str) -> None:
    check_refused("a.ply", content, message)


MESH = (
    "element vertex 4",
    *XYZ,
    "element face 2",
    "property list char int vertex_index",
    "property uchar red",
)
VERTICES = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0 0 0\n1 0 0\n0 1\n0 0 1\n3 0 1 2 9\n3 0 1 3 9\n", "line 13: 2 values where each row has 3"),
        (
            "0 0 0\n1 0 0\n0 1 nan\n0 0 1\n3 0 1 2 9\n3 0 1 3 9\n",
            "line 13: the coordinates are '0', '1', 'nan'",
        ),
        (VERTICES + "3 0 1 2 9\n", "line 14: 2 rows of 'face' are promised, but only 1"),
        (VERTICES + "3 0 1 2 9\n\n\n", "line 17: 2 rows of 'face' are promised, but only 1"),
        (VERTICES + "3 0 1 2 9\n3 0 1 2\n", "line 16: the row of 4 values does not end"),
        (VERTICES + "3 0 1 2 9\n3 0 1 2 9 9\n", "line 16: the row of 6 values does not end"),
        (VERTICES + "3 0 1 2 9\n9223372036854775807 0 1 2 9\n", "line 16: the row of 5 values does not end"),
        (VERTICES + "3 0 1 2 9\n-1\n", "line 16: the row of 1 values does not end"),
        (VERTICES + "3 0 1 2 9\n-1 9\n", "line 16: the row of 2 values does not end"),
        (VERTICES + "3 0 1 2 9\nx 0 1 2 9\n", "line 16: the row of 5 values does not end"),
        (VERTICES + "3 0 1 2 9\n2 0 1 9\n", "line 16: the face has 2 corners"),
        (VERTICES + "3 0 1 2 9\n3 0 1.0 2 9\n", "line 16: '1.0' is not a whole number"),
        (VERTICES + "3 0 1 2 9\n3 0 1 4 9\n", "line 16: the face has point 4"),
        (VERTICES + "3 0 1 2 9\n3 0 1 -1 9\n", "line 16: the face has point -1"),
        (VERTICES + "3 0 1 2 9\n3 0 1 3 9\n1\n", "line 17: the file goes on"),
    ],
)
def test_unusable_text(check_refused: Refusal, rows: str, message: str) -> None:
    check_refused("a.ply", head(*MESH) + rows.encode(), message)


def test_what_is_not_utf8_names_the_line(check_refused: Refusal) -> None:
    check_refused(
        "a.ply", head(*MESH) + VERTICES.encode() + b"3 0 1 2 \xe9\n", "line 15: byte 0xe9 is not UTF-8"
    )


def binary_mesh(faces: bytes, vertices: Array | None = None) -> bytes:
    corners = np.concatenate([np.zeros((1, 3)), np.eye(3)]) if vertices is None else vertices
    return head(*MESH, form=LITTLE) + corners.astype("<f4").tobytes() + faces


def test_unusable_binary_names_the_byte(check_refused: Refusal) -> None:
    good = struct.pack("<biiiB", 3, 0, 1, 2, 9)
    body = len(head(*MESH, form=LITTLE))
    second = body + 4 * 12 + len(good)
    for bad, message in (
        (struct.pack("<biiiB", -3, 0, 1, 2, 9), f"byte {second}: a list has the length -3"),
        (struct.pack("<biiB", 2, 0, 1, 9), f"byte {second}: the face has 2 corners"),
        (struct.pack("<biiiB", 3, 0, 1, 4, 9), f"byte {second}: the face has point 4"),
        (struct.pack("<biiiB", 3, 0, 1, -1, 9), f"byte {second}: the face has point -1"),
        (struct.pack("<biii", 3, 0, 1, 2), rf"byte {body + 48}: 2 rows of 'face' .* but only 27 bytes"),
        (b"", rf"byte {body + 48}: 2 rows of 'face' .* but only 14 bytes"),
        (good + b"\n", rf"byte {second + 14}: 1 bytes follow"),
    ):
        check_refused("a.ply", binary_mesh(good + bad), message)
    vertices = np.eye(4, 3)
    vertices[2, 1] = np.inf
    check_refused("a.ply", binary_mesh(good * 2, vertices), f"byte {body + 24}: point 2 is")


@pytest.mark.parametrize("form", ["ascii", LITTLE])
@pytest.mark.parametrize("count", [10**9, 10**17])
def test_huge_counts_are_compared_with_the_size(
    check_refused: Refusal, points: Array, form: str, count: int
) -> None:
    for name, number in ((b"vertex", b"7"), (b"face", b"0")):
        content = ply(points, (), form).replace(
            b"element " + name + b" " + number, b"element " + name + b" %d" % count
        )
        check_refused("a.ply", content, f"{count} rows of '{name.decode()}' are promised, but only")


def test_a_value_of_a_vertex_with_lists_that_is_not_finite_names_the_byte(check_refused: Refusal) -> None:
    lines = ("element vertex 2", *XYZ[:2], "property list uchar uchar more", XYZ[2])
    rows = struct.pack("<ffBBBf", 1, 2, 2, 0, 0, 3) + struct.pack("<ffBf", 1, 2, 0, np.nan)
    start = len(head(*lines, form=LITTLE))
    check_refused("a.ply", head(*lines, form=LITTLE) + rows, f"byte {start + 15}: point 1 is")


def test_rows_may_be_empty_lines_apart(load: Reader, points: Array) -> None:
    content = head("element vertex 7", *XYZ) + text(points).replace(b"\n", b"\n\n")
    assert np.array_equal(load("a.ply", content).points, points)
