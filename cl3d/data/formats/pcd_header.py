"""The header of a PCD file: the fields of each point, and how the points are stored."""

from __future__ import annotations

from dataclasses import dataclass

from cl3d.data.formats.lines import Tokens, count_of, shown
from cl3d.errors import InputError

ENCODINGS = ("ascii", "binary", "binary_compressed")

_KINDS = {
    ("F", 4): "<f4",
    ("F", 8): "<f8",
    **{(sign, size): f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)},
}
_VERSIONS = {b"0.5", b".5", b"0.6", b".6", b"0.7", b".7"}
_KEYWORDS = ("VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA")


@dataclass(frozen=True)
class Field:
    """One field of each point.

    Attributes:
        name: as in the header.
        size: bytes of one value.
        kind: ``"F"``, ``"I"`` or ``"U"``.
        count: how many values it has.
    """

    name: str
    size: int
    kind: str
    count: int


@dataclass(frozen=True)
class Header:
    """What a PCD file promises.

    Attributes:
        fields: in the order of their values.
        points: how many there are.
        encoding: one of :data:`ENCODINGS`.
        body: the byte at which the points begin.
        line: the number of the line at which they do.
        axes: the positions of x, y and z in ``fields``.
    """

    fields: tuple[Field, ...]
    points: int
    encoding: str
    body: int
    line: int
    axes: tuple[int, int, int]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Numpy's names of the types of x, y and z."""
        return tuple(_KINDS[self.fields[i].kind, self.fields[i].size] for i in self.axes)

    @property
    def stride(self) -> int:
        """Bytes of one point."""
        return sum(field.size * field.count for field in self.fields)

    def offset(self, axis: int) -> int:
        """Bytes of a point before its x, y or z."""
        return sum(field.size * field.count for field in self.fields[: self.axes[axis]])

    def column(self, axis: int) -> int:
        """Values of a point before its x, y or z."""
        return sum(field.count for field in self.fields[: self.axes[axis]])


def read_header(data: bytes, source: str) -> Header:
    """Reads the header of a PCD file, versions 0.5 to 0.7.

    Raises:
        InputError: naming the line.
    """
    reader = _Reader(data, source)
    body = reader.read()
    return reader.header(body)


class _Reader:
    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self._source = source
        self._line = 0
        # what follows each keyword, and the line it stands on
        self._entries: dict[str, tuple[Tokens, int]] = {}

    def read(self) -> int:
        """Collects the entries; returns where the points begin, after the line DATA."""
        at = 0
        while "DATA" not in self._entries:
            self._line += 1
            end = self._data.find(b"\n", at)
            if end < 0:
                raise self._error("the file ends before DATA in its header; give a whole PCD file")
            tokens = self._data[at:end].split()
            at = end + 1
            if tokens and not tokens[0].startswith(b"#"):
                self._take(tokens)
        return at

    def _take(self, tokens: Tokens) -> None:
        # as version 0.5 has it
        keyword = "FIELDS" if tokens[0] == b"COLUMNS" else tokens[0].decode("utf-8", "replace")
        if keyword not in _KEYWORDS:
            raise self._error(
                f"{shown(tokens[0])} stands where one of {', '.join(_KEYWORDS)} must; repair it"
            )
        if keyword in self._entries:
            raise self._error(f"{keyword} is there already; give it once")
        self._entries[keyword] = (tokens[1:], self._line)

    def header(self, body: int) -> Header:
        """Checks the entries and puts them together."""
        version, encoding = self._one("VERSION"), self._one("DATA")
        if version not in _VERSIONS:
            raise self._error(f"the version is {shown(version)}; give 0.5, 0.6 or 0.7", "VERSION")
        if encoding.decode("utf-8", "replace") not in ENCODINGS:
            raise self._error(f"DATA is {shown(encoding)}; give {', '.join(ENCODINGS)}", "DATA")
        fields = self._fields()
        return Header(fields, self._points(), encoding.decode(), body, self._line + 1, self._axes(fields))

    def _fields(self) -> tuple[Field, ...]:
        names = [name.decode("utf-8", "replace") for name in self._all("FIELDS")]
        kinds = [kind.decode("utf-8", "replace") for kind in self._all("TYPE", len(names))]
        sizes = self._counts("SIZE", len(names))
        counts = self._counts("COUNT", len(names)) if "COUNT" in self._entries else [1] * len(names)
        return tuple(Field(*parts) for parts in zip(names, sizes, kinds, counts, strict=True))

    def _points(self) -> int:
        (width,) = self._counts("WIDTH", 1, least=0)
        (height,) = self._counts("HEIGHT", 1, least=0) if "HEIGHT" in self._entries else [1]
        if "POINTS" in self._entries:
            (points,) = self._counts("POINTS", 1, least=0)
            if points != width * height:
                raise self._error(
                    f"{points} points are promised, but WIDTH × HEIGHT are {width} × {height}; correct one",
                    "POINTS",
                )
        return width * height

    def _axes(self, fields: tuple[Field, ...]) -> tuple[int, int, int]:
        found = [[i for i, field in enumerate(fields) if field.name == name] for name in "xyz"]
        for name, places in zip("xyz", found, strict=True):
            if len(places) != 1:
                raise self._error(
                    f"there are {len(places)} fields {name}; give x, y and z once each", "FIELDS"
                )
            field = fields[places[0]]
            if field.count != 1 or (field.kind, field.size) not in _KINDS:
                kind = f"{field.count} × {shown(field.kind.encode())} of {field.size} bytes"
                raise self._error(f"{name} is {kind}; give 1 × F of 4 or 8 bytes, I or U", "FIELDS")
        x, y, z = (places[0] for places in found)
        return x, y, z

    def _counts(self, keyword: str, number: int, least: int = 1) -> list[int]:
        counts = [count_of(token) for token in self._all(keyword, number)]
        held = [count for count in counts if count is not None and count >= least]
        if len(held) != number:
            raise self._error(f"{keyword} is not whole numbers from {least}; correct it", keyword)
        return held

    def _all(self, keyword: str, number: int | None = None) -> Tokens:
        if keyword not in self._entries:
            raise self._error(f"the header has no {keyword}; give it before DATA")
        tokens = self._entries[keyword][0]
        if number is not None and len(tokens) != number:
            raise self._error(f"{keyword} has {len(tokens)} entries; give {number}", keyword)
        return tokens

    def _one(self, keyword: str) -> bytes:
        return self._all(keyword, 1)[0]

    def _error(self, text: str, keyword: str | None = None) -> InputError:
        line = self._entries[keyword][1] if keyword else self._line
        return InputError(f"{self._source}, line {line}: {text}")
