"""Tiny writers of every format, told nothing by the parsers: what the tests read back."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cl3d.data.formats import Geometry

Array = np.ndarray[Any, Any]
Polygons = Sequence[Sequence[int]]
Reader = Callable[[str, bytes], Geometry]
Refusal = Callable[[str, bytes, str], str]

CODES = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I"} | {
    "float": "f",
    "double": "d",
}


def row(values: Sequence[Any], separator: str = " ") -> bytes:
    return separator.join(map(str, values)).encode() + b"\n"


def text(points: Array, separator: str = " ") -> bytes:
    return b"".join(row(point, separator) for point in points.tolist())


def off(points: Array, polygons: Polygons = (), head: str = "OFF\n{} {} 0\n") -> bytes:
    faces = b"".join(row([len(polygon), *polygon]) for polygon in polygons)
    return head.format(len(points), len(polygons)).encode() + text(points) + faces


def obj(points: Array, polygons: Polygons = ()) -> bytes:
    vertices = b"".join(row(["v", *point]) for point in points.tolist())
    return vertices + b"".join(row(["f", *(corner + 1 for corner in polygon)]) for polygon in polygons)


def ply_header(form: str, *lines: str) -> bytes:
    return "\n".join(("ply", f"format {form} 1.0", *lines, "end_header", "")).encode()


def ply(points: Array, polygons: Polygons = (), form: str = "ascii", kind: str = "float") -> bytes:
    head = ply_header(
        form,
        f"element vertex {len(points)}",
        *(f"property {kind} {axis}" for axis in "xyz"),
        f"element face {len(polygons)}",
        "property list uchar int vertex_indices",
    )
    if form == "ascii":
        return head + text(points) + b"".join(row([len(polygon), *polygon]) for polygon in polygons)
    order = "<" if "little" in form else ">"
    body = [struct.pack(f"{order}3{CODES[kind]}", *point) for point in points.tolist()]
    body += [struct.pack(f"{order}B{len(polygon)}i", len(polygon), *polygon) for polygon in polygons]
    return head + b"".join(body)


def stl_text(triangles: Array, name: str = "shape") -> bytes:
    """(m, 3, 3) as text."""
    out = [f"solid {name}\n".encode()]
    for triangle in triangles.tolist():
        out += [b"  facet normal 0 0 1\n    outer loop\n"]
        out += [b"      vertex " + row(corner) for corner in triangle]
        out += [b"    endloop\n  endfacet\n"]
    return b"".join([*out, f"endsolid {name}\n".encode()])


def stl_binary(triangles: Array, header: bytes = b"") -> bytes:
    """(m, 3, 3) as records of a normal, three corners and two bytes."""
    records = [struct.pack("<12fH", 0, 0, 1, *triangle.ravel(), 7) for triangle in triangles]
    return header.ljust(80, b" ") + struct.pack("<I", len(triangles)) + b"".join(records)


def pcd_header(points: int, encoding: str, fields: str = "x y z", **changes: str) -> bytes:
    """The header for floats of 4 bytes; ``changes`` replaces what follows a keyword, or drops it if empty."""
    number = len(fields.split())
    entries = {
        "VERSION": "0.7",
        "FIELDS": fields,
        "SIZE": " 4" * number,
        "TYPE": " F" * number,
        "COUNT": " 1" * number,
        "WIDTH": f"{points}",
        "HEIGHT": "1",
        "VIEWPOINT": "0 0 0 1 0 0 0",
        "POINTS": f"{points}",
        "DATA": encoding,
    } | changes
    lines = [f"{keyword} {entry}" for keyword, entry in entries.items() if entry]
    return "\n".join(["# .PCD v0.7 - Point Cloud Data file format", *lines, ""]).encode()


def pcd(points: Array, encoding: str) -> bytes:
    """Points as PCD; the compressed form repeats bytes only where a coordinate recurs in all points."""
    if encoding == "ascii":
        body = text(points)
    elif encoding == "binary":
        body = points.astype("<f4").tobytes()
    else:
        plain = points.astype("<f4").T.tobytes()
        packed = lzf_literal(plain)
        body = struct.pack("<II", len(packed), len(plain)) + packed
    return pcd_header(len(points), encoding) + body


def lzf_literal(plain: bytes) -> bytes:
    """LZF without any repetition: runs of up to 32 bytes."""
    runs = [plain[start : start + 32] for start in range(0, len(plain), 32)]
    return b"".join(bytes([len(run) - 1]) + run for run in runs)


def npy(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
