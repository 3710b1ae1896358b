"""The header of a PLY file: which elements follow, and what each row of them holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cl3d.data.formats.lines import Tokens, count_of, shown
from cl3d.errors import InputError

KINDS = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
"""Numpy's names of PLY's types, without a byte order."""

ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
"""Numpy's sign of each format's byte order; none for text."""


@dataclass(frozen=True)
class Property:
    """One value of each row, or one list of values.

    Attributes:
        name: as in the header.
        kind: the type of the value or of the list's items, one of the values of :data:`KINDS`.
        count: the type of the list's length; None for a single value.
    """

    name: str
    kind: str
    count: str | None = None


@dataclass(frozen=True)
class Element:
    """Rows of one kind.

    Attributes:
        name: as in the header, e.g. ``"vertex"``.
        count: how many rows the header promises.
        line: where the header does.
        properties: what each row holds, in order.
    """

    name: str
    count: int
    line: int
    properties: tuple[Property, ...] = ()

    @property
    def has_lists(self) -> bool:
        """Whether rows may differ in length."""
        return any(property.count is not None for property in self.properties)

    def position(self, name: str, is_list: bool) -> int | None:
        """Which of the properties has the name, and is a list or is none."""
        for index, property in enumerate(self.properties):
            if property.name == name and (property.count is not None) == is_list:
                return index
        return None


@dataclass(frozen=True)
class Header:
    """What a PLY file promises.

    Attributes:
        order: numpy's sign of the byte order; empty for text.
        elements: in the order of their rows in the file.
        body: the byte at which the rows begin.
        line: the number of the line at which they do.
    """

    order: str
    elements: tuple[Element, ...]
    body: int
    line: int


def read_header(data: bytes, source: str) -> Header:
    """Reads the header of a PLY file.

    Raises:
        InputError: naming the line.
    """
    return _Reader(data, source).read()


class _Reader:
    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self._source = source
        self._line = 1
        self._order: str | None = None
        # dictionaries, as a hostile header may have any number of entries
        self._elements: dict[str, tuple[int, int, dict[str, Property]]] = {}
        self._properties: dict[str, Property] = {}

    def read(self) -> Header:
        start = re.match(rb"ply[ \t]*(\r\n|\n|\r)", self._data)
        if start is None:
            raise self._error("the file does not begin with a line 'ply'; give a PLY file")
        # rows in binary may begin with any byte: only the first line tells how lines end
        ending, at = start[1], start.end()
        while True:
            self._line += 1
            end = self._data.find(ending, at)
            if end < 0:
                raise self._error("the file ends before end_header; get it again")
            tokens = self._data[at:end].split()
            at = end + len(ending)
            if tokens == [b"end_header"]:
                return self._finish(at)
            self._take(tokens)

    def _take(self, tokens: Tokens) -> None:
        match tokens:
            case [] | [b"comment" | b"obj_info", *_]:
                pass
            case [b"format", encoding, b"1.0"] if _text(encoding) in ORDERS:
                self._order = ORDERS[_text(encoding)]
            case [b"element", name, number] if (count := count_of(number)) is not None:
                self._element(_text(name), count)
            case [b"property", kind, name] if self._elements:
                self._property(Property(_text(name), self._kind(kind)))
            case [b"property", b"list", length, kind, name] if self._elements:
                counts = self._kind(length)
                if counts[0] == "f":
                    raise self._error(f"a list has a length of type {shown(length)}; give an integer type")
                self._property(Property(_text(name), self._kind(kind), counts))
            case _:
                found = " ".join(token.decode("utf-8", "replace") for token in tokens[:6])[:80]
                raise self._error(f"{found!r} is not a line of a PLY header; repair it")

    def _element(self, name: str, count: int) -> None:
        if name in self._elements:
            raise self._error(f"the element {shown(name.encode())} is there already; give each once")
        self._properties = {}
        self._elements[name] = (count, self._line, self._properties)

    def _property(self, property: Property) -> None:
        if property.name in self._properties:
            raise self._error(
                f"the property {shown(property.name.encode())} is there already; give each once"
            )
        self._properties[property.name] = property

    def _kind(self, token: bytes) -> str:
        kind = KINDS.get(_text(token))
        if kind is None:
            raise self._error(f"{shown(token)} is not a type; give one of {', '.join(KINDS)}")
        return kind

    def _finish(self, body: int) -> Header:
        if self._order is None:
            raise self._error(f"the header has no line 'format'; give one of {', '.join(ORDERS)} with 1.0")
        elements = (
            Element(name, count, line, tuple(properties.values()))
            for name, (count, line, properties) in self._elements.items()
        )
        return Header(self._order, tuple(elements), body, self._line + 1)

    def _error(self, text: str) -> InputError:
        return InputError(f"{self._source}, line {self._line}: {text}")


def _text(token: bytes) -> str:
    return token.decode("utf-8", "replace")
