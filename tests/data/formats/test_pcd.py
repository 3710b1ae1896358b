"""PCD files, text, binary and compressed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, lzf_literal, pcd, pcd_header, text

from cl3d.data.formats.lzf import MOST, decompress

ENCODINGS = ("ascii", "binary", "binary_compressed")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reads_points(load: Reader, points: Array, encoding: str) -> None:
    geometry = load("a.pcd", pcd(points, encoding))
    assert geometry.points.dtype == np.float32
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is None


# other fields around, of several values and sizes, z before x, y as an integer
FIELDS = {
    "FIELDS": "normal z _ x rgb y _",
    "SIZE": "4 8 1 4 4 2 8",
    "TYPE": "F F U F U I F",
    "COUNT": "3 1 5 1 1 1 2",
}
FORMATS = ("3f", "d", "5B", "f", "I", "h", "2d")


def other_fields(encoding: str, points: Array) -> bytes:
    rows = [
        [(1, 2, np.nan), (z,), (1, 2, 3, 4, 5), (x,), (4278190080,), (int(y),), (0.5, np.nan)]
        for x, y, z in points.tolist()
    ]
    packed = [[struct.pack("<" + f, *part) for f, part in zip(FORMATS, row, strict=True)] for row in rows]
    if encoding == "ascii":
        body = b"".join(" ".join(str(v) for part in row for v in part).encode() + b"\n" for row in rows)
    elif encoding == "binary":
        body = b"".join(b"".join(parts) for parts in packed)
    else:
        plain = b"".join(b"".join(column) for column in zip(*packed, strict=True))
        body = struct.pack("<II", len(lzf_literal(plain)), len(plain)) + lzf_literal(plain)
    return pcd_header(len(points), encoding, **FIELDS) + body


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_fields_are_skipped(load: Reader, points: Array, encoding: str) -> None:
    points[:, 1] = np.arange(7) - 300
    assert np.array_equal(load("a.pcd", other_fields(encoding, points)).points, points)


@pytest.mark.parametrize(
    "changes",
    [
        {"VERSION": ".7"},
        {"VERSION": "0.6", "COUNT": ""},
        {"VERSION": ".5", "VIEWPOINT": "", "POINTS": "", "HEIGHT": ""},
        {"FIELDS": "", "COLUMNS": "x y z"},
        {"WIDTH": "1", "HEIGHT": "7"},
    ],
)
def test_headers_that_are_allowed(load: Reader, points: Array, changes: dict[str, str]) -> None:
    content = pcd_header(7, "ascii", **changes)
    # whatever was added stands before DATA
    lines = sorted(content.splitlines(keepends=True), key=lambda line: line.startswith(b"DATA"))
    assert np.array_equal(load("a.pcd", b"".join(lines) + text(points)).points, points)
    windows = b"".join(lines).replace(b"\n", b"\r\n") + text(points)
    assert np.array_equal(load("b.pcd", windows).points, points)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_points_with_nan_are_refused_with_the_reason(
    check_refused: Refusal, points: Array, encoding: str
) -> None:
    points[[3, 5], 2] = np.nan
    content = pcd(points, encoding)
    place = {
        "ascii": "line 15: the coordinates are .* 'nan', not three finite numbers",
        "binary": f"byte {len(content) - 4 * 12}: point 3 is",
        "binary_compressed": "in its compressed data: point 3 is",
    }[encoding]
    check_refused("a.pcd", content, f"{place}.* PCD marks invalid returns so, remove them first")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_cut_is_refused(check_refused: Refusal, points: Array, encoding: str) -> None:
    whole = pcd(points, encoding)
    # a text may lose its last digits unnoticed, but no column
    end = whole.rindex(b" ") if encoding == "ascii" else len(whole)
    for kept in range(1, end, 3):
        check_refused("a.pcd", whole[:kept], r"a\.pcd, (line|byte) \d+: ")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_follows_the_points_is_refused_unless_it_is_padding(
    load: Reader, check_refused: Refusal, points: Array, encoding: str
) -> None:
    whole = pcd(points, encoding)
    if encoding == "ascii":
        check_refused("a.pcd", whole + b"1 2 3\n", "line 19: the file goes on after its 7 points")
    else:
        check_refused("a.pcd", whole + b"\0\0\1\0", f"byte {len(whole)}: 4 bytes follow")
        assert np.array_equal(load("a.pcd", whole + bytes(4096)).points, points)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"VERSION": "0.8"}, "line 2: the version is '0.8'; give 0.5"),
        ({"VERSION": ""}, "line 10: the header has no VERSION"),
        ({"FIELDS": ""}, "the header has no FIELDS"),
        ({"FIELDS": "x y w"}, "line 3: there are 0 fields z"),
        (
            {"FIELDS": "x x y z", "SIZE": "4 4 4 4", "TYPE": "F F F F", "COUNT": ""},
            "line 3: there are 2 fields x",
        ),
        ({"SIZE": "4 4"}, "line 4: SIZE has 2 entries; give 3"),
        ({"SIZE": "4 4 x"}, "line 4: SIZE is not whole numbers from 1"),
        ({"SIZE": "4 4 0"}, "line 4: SIZE is not whole numbers from 1"),
        ({"SIZE": "4 4 2"}, "line 3: z is 1 × 'F' of 2 bytes"),
        ({"TYPE": "F F"}, "line 5: TYPE has 2 entries"),
        ({"TYPE": "F X F"}, "line 3: y is 1 × 'X' of 4 bytes"),
        ({"COUNT": "2 1 1"}, "line 3: x is 2 × 'F' of 4 bytes"),
        ({"COUNT": "1 -1 1"}, "line 6: COUNT is not whole numbers"),
        ({"WIDTH": ""}, "the header has no WIDTH"),
        ({"WIDTH": "8"}, "line 10: 7 points are promised, but WIDTH × HEIGHT are 8 × 1"),
        ({"WIDTH": "-7"}, "line 7: WIDTH is not whole numbers"),
        ({"POINTS": "7 7"}, "line 10: POINTS has 2 entries"),
        ({"POINTS": "8", "WIDTH": "8"}, "line 11: 8 points are promised, but only 7"),
        ({"POINTS": "", "HEIGHT": "999999999"}, "line 10: 6999999993 points are promised, but only 7"),
        ({"POINTS": "0", "WIDTH": "0"}, "line 12: the file goes on after its 0 points"),
        ({"DATA": "binary_zip"}, "line 11: DATA is 'binary_zip'; give ascii"),
        ({"DATA": "ascii 1"}, "line 11: DATA has 2 entries"),
        ({"DATA": ""}, "line 11: '[0-9.]+' stands where one of VERSION"),
        ({"EXTRA": "1"}, "line 12: the coordinates|line 12: 2 values"),
        ({"VIEWPOINT": "0\nWIDTH 7"}, "line 10: WIDTH is there already"),
    ],
)
def test_unusable_headers(
    check_refused: Refusal, points: Array, changes: dict[str, str], message: str
) -> None:
    content = pcd_header(7, "ascii", **changes) + text(np.abs(points))
    check_refused("a.pcd", content, message)


def test_what_is_no_header(check_refused: Refusal) -> None:
    check_refused("a.pcd", b"\xff" * 100, "line 1: the file ends before DATA")
    check_refused("a.pcd", b"1 2 3\n4 5 6\n", "line 1: '1' stands where one of VERSION")
    check_refused("a.pcd", pcd_header(0, "binary", WIDTH="0"), "has no points")


@pytest.mark.parametrize("points", [10**9, 10**17])
def test_huge_counts_are_compared_with_the_size(check_refused: Refusal, points: int) -> None:
    size = len(pcd_header(points, "binary"))
    check_refused(
        "a.pcd", pcd_header(points, "binary") + bytes(24), f"byte {size}: {points} points of 12 bytes"
    )
    check_refused(
        "a.pcd", pcd_header(points, "ascii") + b"1 2 3\n", f"{points} points are promised, but only 1"
    )


def compressed(points: int, packed: bytes, size: int, promised: int | None = None) -> bytes:
    sizes = struct.pack("<II", len(packed) if promised is None else promised, size)
    return pcd_header(points, "binary_compressed") + sizes + packed


def test_unusable_compressed_data(check_refused: Refusal, points: Array) -> None:
    plain = points.T.tobytes()
    packed = lzf_literal(plain)
    start = len(pcd_header(7, "binary_compressed"))
    for content, message in (
        (compressed(7, packed, 84, 2**32 - 1), f"byte {start}: 4294967295 bytes that become 84"),
        (compressed(7, packed, 2**32 - 1), f"byte {start}: {len(packed)} bytes that become 4294967295"),
        (compressed(7, packed, 85), f"byte {start + 4}: 85 bytes are promised where 7 points of 12 bytes"),
        (compressed(7, b"\x1e" + packed[1:], 84), f"byte {start + 8}: the compressed data are damaged"),
        (compressed(7, packed[:-1], 84), f"byte {start + 8}: the compressed data are damaged"),
        (compressed(7, b"\xff" * 40, 84), f"byte {start + 8}: the compressed data are damaged"),
        (compressed(7, packed, 84, 0), f"byte {start}: 0 bytes that become 84"),
        (compressed(7, packed, 84, len(packed) - 9), f"byte {start + 8 + len(packed) - 9}: 9 bytes follow"),
        (pcd_header(7, "binary_compressed") + b"\0" * 5, f"byte {start + 5}: the file ends before"),
    ):
        check_refused("a.pcd", content, message)


def unpacked(*packed: bytes, size: int) -> bytes | None:
    out = decompress(memoryview(b"".join(packed)), size)
    return None if out is None else bytes(out)


def repeat(length: int, back: int) -> bytes:
    """The instruction to repeat ``length`` bytes from ``back`` before."""
    high, low = divmod(back - 1, 256)
    if length - 2 < 7:
        return bytes([(length - 2) << 5 | high, low])
    return bytes([7 << 5 | high, length - 2 - 7, low])


@pytest.mark.parametrize("length", [3, 7, 8, 9, 10, 64, 264])
@pytest.mark.parametrize("back", [1, 2, 3, 5, 31])
def test_repetitions(length: int, back: int) -> None:
    plain = bytes(range(31))
    expected = bytearray(plain)
    for _ in range(length):
        expected.append(expected[-back])
    packed = lzf_literal(plain) + repeat(length, back) + lzf_literal(b"end")
    assert unpacked(packed, size=34 + length) == bytes(expected) + b"end"
    assert unpacked(packed, size=33 + length) is None
    assert unpacked(packed, size=35 + length) is None


def test_repetitions_from_far_back() -> None:
    plain = np.random.default_rng(0).integers(0, 256, 8192, dtype=np.uint8).tobytes()
    assert unpacked(lzf_literal(plain), repeat(11, 8192), size=8203) == plain + plain[:11]


def test_damaged_instructions() -> None:
    assert unpacked(b"", size=0) == b""
    assert unpacked(b"\x00", size=1) is None
    assert unpacked(b"\x00a", size=1) == b"a"
    for size in range(2, 5):
        assert unpacked(b"\x00a", repeat(3, 2), size=size) is None
    for cut in (1, 2):
        assert unpacked(b"\x00a", repeat(264, 1)[:cut], size=265) is None
        assert unpacked(b"\x00a", repeat(3, 1)[:1], size=4) is None


def test_no_instruction_becomes_more_than_is_allowed_for() -> None:
    assert 264 / len(repeat(264, 1)) == MOST
