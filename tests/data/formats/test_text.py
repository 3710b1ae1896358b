"""Text columns: .pts, .txt and .xyz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, text

from cl3d.data.formats import read


@pytest.mark.parametrize("separator", [" ", "\t", "   ", ",", ", ", " ,"])
@pytest.mark.parametrize("width", [3, 5, 7])
def test_reads_the_first_three_columns(load: Reader, points: Array, separator: str, width: int) -> None:
    columns = np.concatenate([points, np.arange(28.0).reshape(7, 4)], axis=1)[:, :width]
    geometry = load("a.xyz", text(columns, separator))
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is None


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "7\n", "# a comment, with a comma\n\n", " \n7 # points\n"])
@pytest.mark.parametrize("last", ["", "\n\n", "# end"])
def test_lines_that_are_no_rows(load: Reader, points: Array, ending: str, first: str, last: str) -> None:
    rows = text(points).decode().replace("\n", " # colour\n\n", 3)
    content = (first + rows + last).replace("\n", ending)
    assert np.array_equal(load("a.pts", content.encode()).points, points)


def test_byte_order_mark_missing_last_newline_and_comments_in_utf8(load: Reader, points: Array) -> None:
    content = b"\xef\xbb\xbf" + "# größe\n".encode() + text(points).rstrip()
    assert np.array_equal(load("a.txt", content).points, points)


def test_more_rows_than_are_read_at_once(load: Reader) -> None:
    many = np.random.default_rng(1).standard_normal((1009, 3)).astype(np.float32)
    assert np.array_equal(load("a.txt", text(many)).points, many)


@pytest.mark.parametrize("line", [1, 2, 499, 1009])
def test_a_line_far_down_is_named(check_refused: Refusal, line: int) -> None:
    rows = text(np.random.default_rng(1).standard_normal((1009, 3))).splitlines()
    rows[line - 1] = b"1 2 x"
    # blank lines and comments count
    check_refused(
        "a.txt", b"\n#\n" + b"\n".join(rows), rf"line {line + 2}: the coordinates are '1', '2', 'x'"
    )


@pytest.mark.parametrize("token", ["nan", "-inf", "1e39", "1e400", "1_0", "0x10", "1,5", "abc", "١", "1.2.3"])
def test_what_is_no_finite_number_names_the_line(check_refused: Refusal, points: Array, token: str) -> None:
    content = text(points).decode().splitlines()
    content[4] = f"1 {token} 2"
    check_refused("a.txt", "\n".join(content).encode(), "line 5: the coordinates are '1', .*not three finite")


@pytest.mark.parametrize("row", ["1 2", "1 2 3 4", "1,2,3"])
def test_rows_of_another_width_name_the_line(check_refused: Refusal, points: Array, row: str) -> None:
    lines = text(points).decode().splitlines()
    lines[3] = row
    check_refused("a.txt", "\n".join(lines).encode(), "line 4: . values where each row has 3")


def test_empty_columns_between_commas_are_not_skipped(check_refused: Refusal) -> None:
    check_refused("a.txt", b"1,2,3\n4,,6\n", "line 2: the coordinates are '4', '', '6'")
    check_refused("b.txt", b"1,2,3\n4,5 6,7\n", "line 2: the coordinates are '4', '5 6', '7'")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"8\n" + b"1 2 3\n4 5 6\n", "line 1: 8 points are promised, but only 2"),
        (b"3\n" + b"1 2 3\n4 5 6\n\n", "line 4: 3 points are promised, but only 2"),
        (b"1\n" + b"1 2 3\n4 5 6\n", "line 3: the file goes on after its 1 points"),
        (b"999999999999999999\n1 2 3\n4 5 6\n", "line 1: 999999999999999999 points are promised"),
        (b"9" * 5000 + b"\n1 2 3\n", "line 1: the row has 1 columns"),
        (b"7", "7 points are promised"),
        (b"x y z\n1 2 3\n", "line 1: the coordinates are 'x', 'y', 'z'"),
        (b"\n1 2\n3 4\n", "line 2: the row has 2 columns"),
        (b"\n\n#\n", "has no points"),
        (b"1 2 3\n1 2 3\n1 2 3\n", "has no extent"),
        ("1 2 3\n4 5 6\n".encode("utf-16"), "line 1: byte 0x00 is not UTF-8"),
        ("1 2 3\n4 5 6\n".encode("utf-16-le"), "line 1: byte 0x00 is not UTF-8"),
        (b"1 2 3\n4 5 \xe9\n", "line 2: byte 0xe9 is not UTF-8"),
        (bytes(range(1, 256)), "line 3: byte 0x80 is not UTF-8"),
        (bytes(100), "line 1: byte 0x00 is not UTF-8"),
    ],
)
def test_unusable_content(check_refused: Refusal, content: bytes, message: str) -> None:
    check_refused("a.pts", content, message)


def test_a_long_token_is_cut_in_the_message(check_refused: Refusal) -> None:
    assert len(check_refused("a.txt", b"1 2 3\n1 2 " + b"x" * 10_000, "line 2")) < 400


def test_reads_the_points_of_shapenet_part(real_data: Path) -> None:
    path = next((real_data / "fixtures").glob("shapenetcore*/03642806/points/*.pts"))
    assert np.array_equal(read(path).points, np.loadtxt(path).astype(np.float32))
