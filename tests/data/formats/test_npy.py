"""npy files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, npy


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8", "<f2", "longdouble"])
@pytest.mark.parametrize("columns", [3, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_the_first_three_columns(load: Reader, kind: str, columns: int, order: str) -> None:
    stored = np.random.default_rng(0).standard_normal((7, columns)).astype(kind, order=order)
    geometry = load("a.npy", npy(stored))
    assert geometry.points.dtype == np.float32
    assert np.array_equal(geometry.points, stored[:, :3].astype(np.float32))
    assert geometry.faces is None


def header(shape: str, descr: str = "'<f4'", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + size + text


def test_a_header_of_version_2(load: Reader, points: Array) -> None:
    content = header("(7, 3)", version=b"\x02\x00") + points.tobytes()
    assert np.array_equal(load("a.npy", content).points, points)


@pytest.mark.parametrize("shape", ["(7, 2)", "(21,)", "()", "(7, 3, 1)", "(0, 3)", "(-7, 3)", "(7, -3)"])
def test_other_shapes_are_refused(check_refused: Refusal, shape: str) -> None:
    check_refused("a.npy", header(shape) + bytes(84), r"byte 0: the array is float32 of shape \(")


@pytest.mark.parametrize("shape", ["(3, 7)", "(3, 4)"])
def test_coordinates_in_rows_are_refused(check_refused: Refusal, shape: str) -> None:
    check_refused("a.npy", header(shape) + bytes(84), r"byte 0: the array of shape \(3, .* transpose it")


@pytest.mark.parametrize(
    "descr", ["'<i4'", "'<c8'", "'|b1'", "'|S4'", "'|O'", "[('x', '<f4')]", "'|V0'", "{}"]
)
def test_other_types_are_refused_and_never_unpickled(check_refused: Refusal, descr: str) -> None:
    check_refused("a.npy", header("(7, 3)", descr) + bytes(84), "byte 0: the array is .*; give floats")


def test_an_array_of_objects_is_refused(check_refused: Refusal) -> None:
    check_refused("a.npy", npy(np.array([[1, None, {}]], dtype=object)), "the array is object")


@pytest.mark.parametrize(
    ("shape", "size"),
    [("(7, 3)", 83), ("(7, 3)", 85), ("(8, 3)", 84), ("(10**9, 10**9)", 84), (f"({10**30}, 3)", 84)],
)
def test_the_size_must_be_that_of_the_shape(check_refused: Refusal, shape: str, size: int) -> None:
    content = header(shape)
    message = (
        "the header is not" if "**" in shape else f"byte {len(content)}: an array of shape .* {size} follow"
    )
    check_refused("a.npy", content + bytes(size), message)


@pytest.mark.parametrize("order", ["C", "F"])
def test_values_that_are_not_finite_name_the_byte(check_refused: Refusal, order: str) -> None:
    stored = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float64, order=order)
    stored[4, 1] = 1e39
    content = npy(stored)
    place = len(content) - 7 * 5 * 8 + 4 * 8 * (5 if order == "C" else 1)
    check_refused("a.npy", content, f"byte {place}: point 4 is")


def test_columns_after_the_third_may_be_anything(load: Reader) -> None:
    stored = np.random.default_rng(0).standard_normal((7, 5))
    stored[4, 3] = np.nan
    assert len(load("a.npy", npy(stored)).points) == 7


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUM",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        header("(7, 3)", version=b"\x07\x00"),
        header("(" * 300),
        header("7"),
        header("(7, 3)", "()"),
        header("(7, 3)", "'nothing'"),
        b"PK\x03\x04" + bytes(50),
        b"1 2 3\n4 5 6\n",
    ],
)
def test_damaged_headers(check_refused: Refusal, content: bytes) -> None:
    check_refused("a.npy", content, r"byte \d+: the header is not that of a \.npy file")
