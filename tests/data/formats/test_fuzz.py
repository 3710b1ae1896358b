"""Damaged files of every format: a valid shape or a clear error, in bounded memory and time."""

from __future__ import annotations

import re
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from format_writers import (
    npy,
    obj,
    off,
    pcd,
    pcd_header,
    ply,
    ply_header,
    stl_binary,
    stl_text,
    text,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from cl3d.data.formats import ENDINGS, check_geometry, read
from cl3d.errors import InputError

POINTS = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
POLYGONS = [[0, 1, 2], [2, 3, 4, 5, 6], [6, 0, 3, 1]]
TRIANGLES = np.random.default_rng(1).standard_normal((5, 3, 3)).astype(np.float32)

VALID = {
    "a.off": off(POINTS, POLYGONS),
    "a.obj": obj(POINTS, POLYGONS),
    "text.ply": ply(POINTS, POLYGONS),
    "little.ply": ply(POINTS, POLYGONS, "binary_little_endian"),
    "big.ply": ply(POINTS, POLYGONS, "binary_big_endian", "double"),
    "text.stl": stl_text(TRIANGLES),
    "binary.stl": stl_binary(TRIANGLES, b"solid"),
    "text.pcd": pcd(POINTS, "ascii"),
    "binary.pcd": pcd(POINTS, "binary"),
    "compressed.pcd": pcd(POINTS, "binary_compressed"),
    "a.pts": b"7\n" + text(POINTS),
    "a.txt": text(POINTS),
    "a.xyz": text(POINTS, ","),
    "a.npy": npy(POINTS),
}

TOKENS = (
    *(b"", b"nan", b"inf", b"-1", b"0", b"1", b"1e39", b"1e400", b"4294967295", b"9" * 19, b"9" * 5000),
    *(
        b"0x10",
        b"1_0",
        b"x",
        b"#",
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"list",
        b"double",
        b"8",
    ),
)

fuzzed = settings(max_examples=31, deadline=None, derandomize=True, database=None)


def check(folder: Path, name: str, content: bytes, factor: int = 64) -> bool:
    """Whether the file is read; where it is not, the error must name it, and the memory be bounded."""
    path = folder / name
    path.write_bytes(content)
    tracemalloc.start()
    try:
        geometry = read(path)
    except InputError as error:
        message = str(error)
        assert name in message
        assert "\n" not in message
        assert len(message) < len(str(path)) + 400
        return False
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < factor * len(content) + 2**18
    check_geometry(geometry, name)
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_files_are_valid_before_they_are_damaged(folder: Path) -> None:
    assert {Path(name).suffix for name in VALID} == set(ENDINGS)
    for name, content in VALID.items():
        assert check(folder, name, content)


@pytest.mark.parametrize("name", VALID)
def test_cut_at_any_byte(folder: Path, name: str) -> None:
    whole = VALID[name]
    # the ends at any byte, the middle at some
    cuts = sorted(
        {*range(23), *range(23, len(whole), 1 + len(whole) // 97), *range(len(whole) - 23, len(whole))}
    )
    read_anyway = [kept for kept in cuts if check(folder, name, whole[:kept])]
    # what says how much there is notices all that is missing, but the end of the last word of a text
    if not name.endswith((".obj", ".txt", ".xyz")):
        assert all(kept >= max(whole.rindex(b" "), whole[:-1].rindex(b"\n")) for kept in read_anyway)
    binary = name.startswith(("little", "big", "binary", "compressed")) or name.endswith(".npy")
    assert bool(read_anyway) != binary


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=3)
)
def test_changed_bytes(folder: Path, name: str, changes: list[tuple[float, bytes]]) -> None:
    content = bytearray(VALID[name])
    for place, changed in changes:
        at = int(place * (len(content) - len(changed)))
        content[at : at + len(changed)] = changed
    check(folder, name, bytes(content))


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(TOKENS)), min_size=1, max_size=3))
def test_changed_tokens(folder: Path, name: str, changes: list[tuple[float, bytes]]) -> None:
    # separators stand at the odd positions, and may be replaced, too
    parts = re.split(rb"([\s,]+)", VALID[name])
    for place, token in changes:
        parts[int(place * (len(parts) - 1))] = token
    check(folder, name, b"".join(parts))


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(
    place=st.floats(0, 1),
    size=st.sampled_from((1, 2, 4, 8)),
    byte=st.sampled_from((b"\xff", b"\x7f", b"9", b"\0")),
)
def test_huge_numbers_at_any_place(folder: Path, name: str, place: float, size: int, byte: bytes) -> None:
    content = bytearray(VALID[name])
    at = int(place * (len(content) - size))
    content[at : at + size] = byte * size
    check(folder, name, bytes(content))


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(ends=st.tuples(st.floats(0, 1), st.floats(0, 1)), times=st.sampled_from((0, 2, 3)))
def test_pieces_removed_and_repeated(folder: Path, name: str, ends: tuple[float, float], times: int) -> None:
    content = VALID[name]
    start, end = sorted(int(place * len(content)) for place in ends)
    check(folder, name, content[:start] + content[start:end] * times + content[end:])


@pytest.mark.parametrize("ending", ENDINGS)
@fuzzed
@given(content=st.binary(max_size=211))
def test_any_bytes(folder: Path, ending: str, content: bytes) -> None:
    check(folder, f"any{ending}", content)


def strips(count: int) -> str:
    """A polygon of many corners."""
    return f"{count} " + "0 1 " * (count // 2)


SIZE = 20_000
CORNERS = ("property list uint uchar vertex_index",)
XYZ = ("property uchar x", "property uchar y", "property uchar z")
LITTLE = "binary_little_endian"

# small pieces that Python or numpy hold in much more memory than the file does
LARGE = {
    "blank.txt": b"\n" * SIZE,
    "short.xyz": b"12\n" * SIZE,
    "comments.pts": b"1#\n" * SIZE,
    "rows.txt": b"1 1 1\n" * SIZE + b"1 1 2\n",
    "row.txt": b"1 " * SIZE + b"\n" + b"2 " * SIZE,
    "numbers.pts": b"11 " * SIZE,
    "polygon.off": b"OFF\n2 1 0\n0 0 0\n0 0 1\n" + strips(SIZE).encode(),
    "polygons.off": f"OFF\n2 {SIZE} 0\n0 0 0\n0 0 1\n".encode() + b"3 0 1 1\n" * SIZE,
    "squares.obj": b"v 0 0 0\nv 0 0 1\n" + b"f 1 1 2 2\n" * SIZE,
    "vertices.obj": b"v 1 1 1\n" * SIZE,
    "else.obj": b"a\n" * SIZE,
    "polygon.ply": ply_header(LITTLE, "element vertex 2", *XYZ, "element face 1", *CORNERS)
    + struct.pack("<6BI", 0, 0, 0, 1, 1, 1, SIZE)
    + bytes(SIZE),
    "triangles.ply": ply_header(
        LITTLE, "element vertex 2", *XYZ, f"element face {SIZE}", "property list uchar uchar vertex_index"
    )
    + b"\0\0\0\0\0\1"
    + b"\3\0\1\1" * SIZE,
    "lists.ply": ply_header(
        LITTLE, f"element a {SIZE}", "property list uchar uchar b", "element vertex 1", *XYZ
    )
    + bytes(SIZE + 3),
    "vertices.ply": ply_header(
        LITTLE, f"element vertex {SIZE}", *XYZ, "property list uchar char a", "element face 0", *CORNERS
    )
    + b"\1\2\3\0" * SIZE,
    "elements.ply": ply_header("ascii", *(f"element {i} 0" for i in range(SIZE // 10))),
    "properties.ply": ply_header("ascii", "element a 1", *(f"property char {i}" for i in range(SIZE // 10))),
    "text.ply": ply_header("ascii", f"element vertex {SIZE}", *XYZ) + b"1 1 1\n" * SIZE,
    "lists_text.ply": ply_header(
        "ascii", "element vertex 1", *XYZ, f"element face {SIZE}", "property list uchar uint vertex_index"
    )
    + b"1 1 1\n"
    + b"3 0 0 0\n" * SIZE,
    "normals.stl": b"solid\n" + b"facet\n" * SIZE,
    "records.stl": bytes(80) + struct.pack("<I", SIZE // 10) + bytes(5 * SIZE),
    "fields.pcd": pcd_header(1, "ascii", "x y z" + " a" * (SIZE // 10)) + b"1 " * 7,
    "points.pcd": pcd_header(SIZE, "binary", SIZE="1 1 1", TYPE="U U U", WIDTH=f"{SIZE}") + bytes(3 * SIZE),
    "columns.npy": npy(np.zeros((SIZE, 3), np.float16)),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_and_time_are_bounded_by_the_size(folder: Path, name: str) -> None:
    begin = time.process_time()
    check(folder, name, LARGE[name])
    # tenths of a second, several times more while memory is traced
    assert time.process_time() - begin < 10


def test_compressed_data_become_88_times_as_large_and_no_more(folder: Path) -> None:
    # one byte, repeated 996 times by 264, and once by 131
    packed = b"\0\0" + b"\xe0\xff\0" * 996 + bytes([0xE0, 131 - 9, 0])
    size = 1 + 264 * 996 + 131
    points = size // 12
    content = pcd_header(points, "binary_compressed") + struct.pack("<II", len(packed), size) + packed
    assert size > 80 * len(content)
    assert not check(folder, "bomb.pcd", content, factor=220)
    with pytest.raises(InputError, match="has no extent"):
        read(folder / "bomb.pcd")
    # what is told to become one point is given up after that
    packed = b"\0\0" + b"\xe0\xff\0" * 4001
    content = pcd_header(1, "binary_compressed") + struct.pack("<II", len(packed), 12) + packed
    assert not check(folder, "liar.pcd", content, factor=8)
