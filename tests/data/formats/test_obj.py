"""OBJ files."""

from __future__ import annotations

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, obj

VERTICES = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"


def test_reads_points_and_fans(
    load: Reader, points: Array, polygons: list[list[int]], fans: list[list[int]]
) -> None:
    geometry = load("a.obj", obj(points, polygons))
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is not None
    assert geometry.faces.tolist() == fans


@pytest.mark.parametrize(
    "face", ["1 2 4", "1/5 2/6 4/7", "1//5 2//6 4//7", "1/5/9 2/6/9 4/7/9", "-4 -3/1 -1"]
)
def test_forms_of_corners(load: Reader, face: str) -> None:
    geometry = load("a.obj", f"{VERTICES}f {face} # comment\n".encode())
    assert geometry.faces is not None
    assert geometry.faces.tolist() == [[0, 1, 3]]


def test_negative_corners_count_from_the_last_vertex_so_far(load: Reader) -> None:
    between = "v 5 5 {}\n"
    # far enough apart for several blocks of lines
    content = VERTICES + "f -4 -3 -2\n" + "".join(between.format(i) for i in range(701)) + "f -1 -2 -701\n"
    geometry = load("a.obj", content.encode())
    assert geometry.faces is not None
    assert geometry.faces.tolist() == [[0, 1, 2], [704, 703, 4]]


def test_faces_may_come_before_their_vertices(load: Reader) -> None:
    geometry = load("a.obj", ("f 1 2 3\n" + VERTICES + "f -1 1 2\n").encode())
    assert geometry.faces is not None
    assert geometry.faces.tolist() == [[0, 1, 2], [3, 0, 1]]


def test_everything_else_is_ignored(load: Reader) -> None:
    others = (
        "mtllib a.mtl\no thing\ng one\nvn 0 0 1\nvt 0 0\nvp 1\ns off\nusemtl red\nl 1 2\np 1\nV 7 7 7\n\n"
    )
    geometry = load("a.obj", (others + "v 0 0 0 1\nv 1 0 0 0.5 0.5 0.5\n" + others).encode())
    assert geometry.points.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert geometry.faces is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (VERTICES + "\nf 1 2 5\n", "line 6: the face has point 4 .*there are 4 points"),
        (VERTICES + "f 1 2 -5\n", "line 5: the face has point -1 "),
        (VERTICES + "f 1 0 2\nf 0 1 2\n", "line 5: the face has corner 0; corners count from 1"),
        (VERTICES + "f 3 1 2\nf 1 2 /3\n", "line 6: '' is not a whole number"),
        (VERTICES + "f 1 2\n", "line 5: the face has 2 corners"),
        (VERTICES + "f\n", "line 5: the face has 0 corners"),
        (VERTICES + "f 1 2 3.0\n", "line 5: '3.0' is not a whole number"),
        (VERTICES + "f 1 2 \\\n3\n", r"line 5: '\\\\' is not a whole number"),
        (VERTICES + "f 1 2 99999999999999999999\n", "line 5: '9+' is not a whole number"),
        (VERTICES + "f 1 2 -9223372036854775808\n", "line 5: the face has point -"),
        (VERTICES + "# x\nv 1 2\n", "line 6: the vertex has 2 coordinates"),
        (VERTICES + "v 1 2 inf\n", "line 5: the coordinates are '1', '2', 'inf'"),
        (VERTICES + "v 1 2 x_1\n", "line 5: the coordinates are '1', '2', 'x_1'"),
        ("f 1 2 3\n", "line 1: the face has point 0 .*there are 0 points"),
        ("# nothing\n", "has no points"),
        ("hello\n", "has no points"),
        ("v 1 1 1\nv 1 1 1\n", "has no extent"),
    ],
)
def test_unusable_content(check_refused: Refusal, content: str, message: str) -> None:
    check_refused("a.obj", content.encode(), message)


def test_what_is_not_utf8_names_the_line(check_refused: Refusal) -> None:
    check_refused("a.obj", VERTICES.encode() + b"g K\xf6rper\n", "line 5: byte 0xf6 is not UTF-8")
