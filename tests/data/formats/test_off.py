"""OFF files."""

from __future__ import annotations

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, off


@pytest.mark.parametrize(
    "head",
    [
        "OFF\n{} {} 0\n",
        "OFF{} {} 0\n",
        "OFF {} {} 0\n",
        "OFF\n{} {}\n",
        "# a comment\n\nOFF # another\n#\n{} {} 12 # edges are ignored\n\n",
        "OFF\r\n{} {} 0\r\n",
    ],
)
def test_reads_points_and_fans(
    load: Reader, points: Array, polygons: list[list[int]], fans: list[list[int]], head: str
) -> None:
    geometry = load("a.off", off(points, polygons, head))
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is not None
    assert geometry.faces.dtype == np.int64
    assert geometry.faces.tolist() == fans


@pytest.mark.parametrize("keyword", ["OFF", "COFF", "NOFF", "CNOFF", "STOFF"])
def test_values_after_coordinates_and_colours_after_corners_are_ignored(load: Reader, keyword: str) -> None:
    content = f"{keyword}\n3 2 0\n0 0 0 9 9\n1 0 0 9 9\n0 1 0 9 9\n3 0 1 2 255 0 0\n3 2 1 0 0.5 0.5 0.5 1\n"
    geometry = load("a.off", content.encode())
    assert geometry.points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert geometry.faces is not None
    assert geometry.faces.tolist() == [[0, 1, 2], [2, 1, 0]]


def test_without_faces_it_is_a_cloud(load: Reader, points: Array) -> None:
    assert load("a.off", off(points)).faces is None


HEAD = "OFF\n4 2 0\n"
VERTICES = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("PLY\n4 2 0\n", "line 1: 'PLY' stands where OFF must"),
        ("4OFF\n4 2 0\n", "line 1: '4OFF' stands where OFF must"),
        ("OFF BINARY\n4 2 0\n", "line 1: the counts are 'BINARY'"),
        ("OFF\n", "line 1: the file ends before its counts"),
        ("OFF\n\n4 -2 0\n" + VERTICES, "line 3: the counts are '4' '-2' '0'"),
        ("OFF\n4\n" + VERTICES, "line 2: the counts are '4'"),
        ("OFF\n4 2.0 0\n" + VERTICES, "line 2: the counts are"),
        ("OFF\n999999999999 2 0\n" + VERTICES, "line 2: 999999999999 vertices and 2 faces are promised"),
        ("OFF\n4 999999999999999999 0\n" + VERTICES, "line 2: 4 vertices and 9+ faces are promised"),
        (f"OFF\n4 {'9' * 9999} 0\n" + VERTICES, "line 2: the counts are"),
        (HEAD + VERTICES + "3 0 1 2\n\n\n", "line 9: 2 faces are promised, but only 1"),
        (HEAD + VERTICES + "3 0 1 2\n3 0 1 3\n3 1 2 3\n", "line 9: the file goes on after its 4 vertices"),
        (HEAD + "0 0 0\n1 0 0\n0 1\n0 0 1\n3 0 1 2\n3 0 1 3\n", "line 5: 2 values where each row has 3"),
        (HEAD + "0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n", "line 3: 2 values where each row has 3"),
        (HEAD + "0 0 0\n1 0 0\n0 nan 0\n0 0 1\n3 0 1 2\n3 0 1 3\n", "line 5: the coordinates are '0', 'nan'"),
        (HEAD + VERTICES + "3 0 1 2\n3 0 1 4\n", "line 8: the face has point 4 .* there are 4 points"),
        (HEAD + VERTICES + "3 0 -1 2\n3 0 1 3\n", "line 7: the face has point -1"),
        (HEAD + VERTICES + "3 0 1 2\n4 0 1 3\n", "line 8: a list of 4 values is promised, but 3 follow"),
        (HEAD + VERTICES + "2 0 1 2\n3 0 1 3\n", "line 7: the face has 2 corners"),
        (HEAD + VERTICES + "-3 0 1 2\n3 0 1 3\n", "line 7: the face has -3 corners"),
        (HEAD + VERTICES + "3 0 1 2\n9999999999999999999 0 1 3\n", "line 8: '9+' is not a whole number"),
        (HEAD + VERTICES + "3 0 1 2\n999999999999999999 0 1 3\n", "line 8: a list of 9+ values is promised"),
        (HEAD + VERTICES + "3 0 1 2\n3 0 1.5 3\n", "line 8: '1.5' is not a whole number"),
        (HEAD + VERTICES + "3 0 1 2\n3 0 1_1 3\n", "line 8: '1_1' is not a whole number"),
        (HEAD + VERTICES + "3 0 1 2\n3 0 1 9223372036854775808\n", "line 8: '92.*' is not a whole number"),
        ("OFF\n0 0 0\n", "has no points"),
        ("OFF\n2 0 0\n1 1 1\n1 1 1\n", "has no extent"),
    ],
)
def test_unusable_content(check_refused: Refusal, content: str, message: str) -> None:
    check_refused("a.off", content.encode(), message)


def test_many_faces_keep_their_line_numbers(check_refused: Refusal, points: Array) -> None:
    polygons = [[0, 1, 2]] * 997
    polygons[700] = [0, 1, 7]
    check_refused("a.off", off(points, polygons), f"line {2 + 7 + 701}: the face has point 7")
