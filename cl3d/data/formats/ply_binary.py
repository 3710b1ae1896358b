"""The rows of a PLY file in binary."""

from __future__ import annotations

import struct
from array import array

import numpy as np
import numpy.typing as npt

from cl3d.data.formats.binary import error, strided
from cl3d.data.formats.geometry import Points, refuse_not_finite, single
from cl3d.data.formats.lines import shown
from cl3d.data.formats.ply_header import Element, Header
from cl3d.data.formats.polygons import Ints, Polygons
from cl3d.errors import InputError

_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}


def read_binary(
    data: bytes, source: str, header: Header, coordinates: tuple[int, int, int], corners: int | None
) -> tuple[Points, Polygons]:
    """Reads vertices and faces, and walks past other elements; arguments as for text.

    Raises:
        InputError: naming the byte.
    """
    points = np.empty((0, 3), np.float32)
    faces = Polygons(source, "byte")
    at = header.body
    for element in header.elements:
        rows = _Rows(data, source, element, header.order, at)
        if element.name == "vertex":
            points = rows.points(coordinates)
        elif element.name == "face" and corners is not None:
            rows.add_faces(faces, corners)
        at = rows.end
    if at != len(data):
        raise error(
            source, at, f"{len(data) - at} bytes follow the rows that are promised; correct the header"
        )
    return points, faces


class _Rows:
    """The rows of one element.

    A row is cut behind each of its lists, into segments: where a property begins is known within its
    segment, where a segment begins is known only after all lists before it.
    """

    def __init__(self, data: bytes, source: str, element: Element, order: str, start: int) -> None:
        self._data = data
        self._source = source
        self._element = element
        self._order = order
        self._start = start
        self._places: list[tuple[int, int]] = []
        self._lists: list[tuple[int, struct.Struct, int]] = []
        self._last = 0
        self._lay_out()
        # a row whose lists are all empty: this bounds the count by the file's size
        least = sum(before + length.size for before, length, _ in self._lists) + self._last
        if element.count * least > len(data) - start:
            raise self._short()
        self._stride = least
        if self._lists and element.count:
            self._segments, self.end = self._walk()
        else:
            self._segments, self.end = [], start + element.count * least

    def points(self, coordinates: tuple[int, int, int]) -> Points:
        """The values of three properties, (rows, 3) float32."""
        kinds = [self._order + self._element.properties[i].kind for i in coordinates]
        places = [self._places[i] for i in coordinates]
        if not self._segments:
            starts = tuple(self._start + offset for _, offset in places)
            points = strided(self._data, tuple(kinds), starts, self._element.count, (self._stride,) * 3)
        else:
            pairs = zip(places, kinds, strict=True)
            columns = [
                self._gather(self._segments[segment] + offset, np.dtype(kind))
                for (segment, offset), kind in pairs
            ]
            points = np.stack([single(column) for column in columns], axis=1)
        refuse_not_finite(points, self._place, "repair or remove the vertex")
        return points

    def add_faces(self, faces: Polygons, corners: int) -> None:
        """Adds the lists of one property as polygons."""
        property = self._element.properties[corners]
        segment, offset = self._places[corners]
        starts = self._segments[segment] + offset
        length = np.dtype(self._order + str(property.count))
        item = np.dtype(self._order + property.kind)
        sizes = self._gather(starts, length).astype(np.int64)
        places = self._segments[0]
        faces.check_sizes(sizes, places)
        lists = self._gather(starts + length.itemsize, item, sizes)
        faces.add(sizes, lists.astype(np.int64), places)

    def _lay_out(self) -> None:
        segment, offset = 0, 0
        for property in self._element.properties:
            self._places.append((segment, offset))
            size = int(property.kind[1])
            if property.count is None:
                offset += size
            else:
                self._lists.append((offset, struct.Struct(self._order + _CODES[property.count]), size))
                segment, offset = segment + 1, 0
        self._last = offset

    def _walk(self) -> tuple[list[Ints], int]:
        """Where each segment of each row begins, and where the last row ends."""
        begins = [array("q") for _ in range(len(self._lists) + 1)]
        steps = list(zip(self._lists, begins[1:], strict=True))
        at = self._start
        for _ in range(self._element.count):
            begins[0].append(at)
            for (before, length, item), begin in steps:
                at += before
                if at + length.size > len(self._data):
                    raise self._short()
                count = length.unpack_from(self._data, at)[0]
                if count < 0:
                    raise error(self._source, at, f"a list has the length {count}; repair the file")
                at += length.size + count * item
                begin.append(at)
            at += self._last
            if at > len(self._data):
                raise self._short()
        return [np.array(begin, dtype=np.int64) for begin in begins], at

    def _gather(
        self, starts: Ints, kind: np.dtype[np.generic], counts: Ints | None = None
    ) -> npt.NDArray[np.generic]:
        """The values that begin at some bytes: one at each, or as many as ``counts`` says."""
        sizes = np.full(len(starts), 1) if counts is None else counts
        ends = (starts + sizes * kind.itemsize).tolist()
        pieces = [self._data[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]
        return np.frombuffer(b"".join(pieces), kind)

    def _place(self, row: int) -> str:
        at = self._segments[0][row] if self._segments else self._start + row * self._stride
        return f"{self._source}, byte {at}"

    def _short(self) -> InputError:
        name = shown(self._element.name.encode())
        return error(
            self._source,
            self._start,
            f"{self._element.count} rows of {name} are promised, but only "
            f"{len(self._data) - self._start} bytes follow; get the file again",
        )
