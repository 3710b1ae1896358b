"""STL files, text and binary."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, stl_binary, stl_text


@pytest.fixture
def triangles() -> Array:
    """(5, 3, 3) float32."""
    return np.random.default_rng(0).standard_normal((5, 3, 3)).astype(np.float32)


@pytest.mark.parametrize("header", [b"", b"solid made by some program", b"solid\nfacet normal 0 0 1\n"])
def test_reads_binary_that_begins_like_text(load: Reader, triangles: Array, header: bytes) -> None:
    geometry = load("a.stl", stl_binary(triangles, header))
    assert np.array_equal(geometry.points, triangles.reshape(-1, 3))
    assert geometry.faces is not None
    assert geometry.faces.tolist() == np.arange(15).reshape(5, 3).tolist()


def test_reads_text(load: Reader, triangles: Array) -> None:
    content = stl_text(triangles)
    for form in (content, content.upper(), content.replace(b"\n", b"\r\n"), b"\n" + content, content[:-6]):
        geometry = load("a.stl", form)
        assert np.array_equal(geometry.points, triangles.reshape(-1, 3))
        assert geometry.faces is not None
        assert geometry.faces.tolist() == np.arange(15).reshape(5, 3).tolist()


def test_several_solids_are_one(load: Reader, triangles: Array) -> None:
    geometry = load("a.stl", stl_text(triangles[:2], "one two") + b"\n" + stl_text(triangles[2:], ""))
    assert np.array_equal(geometry.points, triangles.reshape(-1, 3))


def test_many_triangles_in_text(load: Reader) -> None:
    many = np.random.default_rng(0).standard_normal((211, 3, 3)).astype(np.float32)
    assert np.array_equal(load("a.stl", stl_text(many)).points, many.reshape(-1, 3))


def test_triangles_of_lines_in_text_are_named(check_refused: Refusal, triangles: Array) -> None:
    lines = stl_text(triangles).splitlines()
    for index, content, message in (
        (10, b"vertex 1 2", "line 11: 3 values where each row has 4"),
        (11, b"vertex 1 2 nan", "line 12: the coordinates are '1', '2', 'nan'"),
        (11, b"vertex 1 2 3 4", "line 12: 5 values where each row has 4"),
        (11, b"vertices 1 2 3", "line 12: 'vertices' stands where vertex must"),
        (13, b"vertex 1 2 3", "line 14: 'vertex' stands where endloop must"),
        (14, b"facet normal 0 0 1", "line 15: 'facet' stands where endfacet must"),
        (15, b"outer loop", "line 16: 'outer' stands where facet or endsolid must"),
        (36, b"", "line 36: the file ends before endsolid"),
        (35, b"endsolid", "line 36: 'endsolid' stands where endfacet must"),
    ):
        changed = [*lines[:index], content, *lines[index + 1 :]]
        check_refused("a.stl", b"\n".join(changed), message)


def test_text_that_is_cut_is_refused(check_refused: Refusal, triangles: Array) -> None:
    lines = stl_text(triangles).splitlines()
    for kept in range(1, len(lines)):
        check_refused("a.stl", b"\n".join(lines[:kept]), f"line {kept}: the file ends before endsolid")


@pytest.mark.parametrize("header", [b"", b"solid"])
def test_binary_of_another_size_names_the_count(
    check_refused: Refusal, triangles: Array, header: bytes
) -> None:
    content = stl_binary(triangles, header)
    check_refused(
        "a.stl", content[:-1], "byte 80: 5 triangles of 50 bytes are promised, but 249 bytes follow"
    )
    check_refused(
        "a.stl", content + b"\n", "byte 80: 5 triangles of 50 bytes are promised, but 251 bytes follow"
    )
    huge = content[:80] + struct.pack("<I", 2**32 - 2**16) + content[84:]
    check_refused("a.stl", huge, "byte 80: 4294901760 triangles .* but 250 bytes follow")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_in_binary_that_are_not_finite_name_the_byte(
    check_refused: Refusal, triangles: Array, value: float
) -> None:
    triangles[3, 1, 2] = value
    check_refused("a.stl", stl_binary(triangles), f"byte {84 + 3 * 50 + 24}: point 10 is")


def test_normals_may_be_anything(load: Reader, triangles: Array) -> None:
    content = bytearray(stl_binary(triangles))
    content[84:96] = b"\xff" * 12
    assert np.array_equal(load("a.stl", bytes(content)).points, triangles.reshape(-1, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00" * 83, "byte 83: the file ends in its header"),
        (b"hello", "byte 5: the file ends in its header"),
        (b"\x00" * 84, "has no points"),
        (b"solid a\nendsolid a\n", "has no points"),
        (b"solid \xff\nendsolid\n", "line 1: byte 0xff is not UTF-8"),
    ],
)
def test_unusable_content(check_refused: Refusal, content: bytes, message: str) -> None:
    check_refused("a.stl", content, message)
