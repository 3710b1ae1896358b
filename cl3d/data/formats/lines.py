"""Lines: a text file as rows of tokens, read in blocks, with the number of each line for messages.

Blocks are converted at once, which is as fast as Python gets; only when one fails are its rows walked
one by one, to find the line to name. They also bound the memory: never more than a block is held as
tokens, and a count in a header is compared with the lines that are left before anything is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from cl3d.data.formats.geometry import Points, first_not_finite, single
from cl3d.errors import InputError

BLOCK = 256
"""Lines converted at once: few enough that Python's garbage collector, which counts lists, stays away."""

MARK = b"\xef\xbb\xbf"
"""The byte order mark that some editors put before UTF-8."""

Tokens = list[bytes]


class Lines:
    """A cursor over the lines of a text that hold something.

    Args:
        data: UTF-8, with or without a byte order mark; lines may end as on any system.
        source: the file's name, for messages.
        first: the number of the first line in ``data``.
        comment: what begins a comment that lasts to the end of its line; None for no comments.

    Raises:
        InputError: if the text is not UTF-8, naming the line.
    """

    def __init__(self, data: bytes, source: str, first: int = 1, comment: bytes | None = None) -> None:
        self.source = source
        self.separator: bytes | None = None
        self._first = first
        self._at = 0
        self._check_encoding(data)
        self._lines = (data.removeprefix(MARK) if first == 1 else data).splitlines()
        if comment is not None and comment in data:
            self._lines = [line.partition(comment)[0] for line in self._lines]
        # Python's numbers may hold underscores, those of the formats may not
        odd = b"_" in data
        self.to_float: Callable[[bytes], float] = _strict_float if odd else float
        self.to_int: Callable[[bytes], int] = _strict_int if odd else int

    @property
    def left(self) -> int:
        """How many lines are left, blank ones included."""
        return len(self._lines) - self._at

    @property
    def number(self) -> int:
        """The number of the line that was read last."""
        return max(self._first + self._at - 1, 1)

    @property
    def next_number(self) -> int:
        """The number of the line after it."""
        return self._first + self._at

    def next(self, what: str) -> Tokens:
        """The tokens of the next line; ``what`` is missing, says the message, where there is none."""
        while self.left:
            self._at += 1
            tokens = self._lines[self._at - 1].split(self.separator)
            if tokens:
                return tokens
        raise self.error(self.number, f"the file ends before {what}; get it again")

    def peek(self) -> Tokens:
        """The tokens of the next line, which stays the next; none at the end."""
        while self.left and not self._lines[self._at].strip():
            self._at += 1
        return self._lines[self._at].split(self.separator) if self.left else []

    def blocks(self, count: int | None = None, what: str = "rows") -> Iterator[Block]:
        """The next ``count`` lines, or all that are left, some thousand at a time.

        Raises:
            InputError: if there are fewer than ``count``; where the lines cannot suffice, at once.
        """
        if count is not None and count > self.left:
            raise self.error(self.number, self._short(count, self.left, what))
        missing = self.left if count is None else count
        while missing and self.left:
            block = self._block(min(missing, BLOCK))
            missing -= len(block.rows)
            if block.rows:
                yield block
        if count is not None and missing:
            raise self.error(self.number, self._short(count, count - missing, what))

    def finish(self, after: str) -> None:
        """Refuses lines that are left, of which the header knows nothing."""
        if self.peek():
            raise self.error(
                self.next_number, f"the file goes on after {after}; correct the count in its header"
            )

    def error(self, number: int, text: str) -> InputError:
        """An error that names the file and a line."""
        return InputError(f"{self.source}, line {number}: {text}")

    def _block(self, size: int) -> Block:
        start, self._at = self._at, min(self._at + size, len(self._lines))
        rows = [line.split(self.separator) for line in self._lines[start : self._at]]
        numbers: Sequence[int] = range(self._first + start, self._first + self._at)
        if not all(rows) or self.separator is not None:
            held = [bool(line.strip()) for line in self._lines[start : self._at]]
            numbers = [number for number, keep in zip(numbers, held, strict=True) if keep]
            rows = [row for row, keep in zip(rows, held, strict=True) if keep]
        return Block(self, rows, numbers)

    def _short(self, promised: int, found: int, what: str) -> str:
        return f"{promised} {what} are promised, but only {found} lines follow; get the file again"

    def _check_encoding(self, data: bytes) -> None:
        # zero bytes are UTF-8, but what has them is binary, or text in UTF-16
        wrong = data.find(0)
        if wrong < 0 and not data.isascii():
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                wrong = error.start
        if wrong >= 0:
            number = self._first + len(data[: wrong + 1].splitlines()) - 1
            raise self.error(number, f"byte {data[wrong]:#04x} is not UTF-8 text; save the file as such")


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a text.

    Attributes:
        lines: the text they are from.
        rows: the tokens of each.
        numbers: the line number of each.
    """

    lines: Lines
    rows: list[Tokens]
    numbers: Sequence[int]

    def check_width(self, width: int) -> None:
        """Refuses rows with more or fewer than ``width`` tokens."""
        if set(map(len, self.rows)) == {width}:
            return
        for number, row in zip(self.numbers, self.rows, strict=True):
            if len(row) != width:
                raise self.lines.error(
                    number, f"{len(row)} values where each row has {width}; complete or remove the row"
                )

    def coordinates(self, columns: tuple[int, int, int], advice: str = "repair or remove the row") -> Points:
        """The numbers in three columns, (rows, 3) float32.

        Raises:
            InputError: naming the first line where one is no number, or none that float32 can hold.
        """
        pick = itemgetter(*columns)
        numbers = map(self.lines.to_float, chain.from_iterable(map(pick, self.rows)))
        try:
            points = single(np.fromiter(numbers, np.float64, 3 * len(self.rows)).reshape(-1, 3))
            bad = first_not_finite(points)
            if bad is None:
                return points
        except ValueError:
            bad = self._first_failure(pick)
        found = ", ".join(shown(token) for token in pick(self.rows[bad]))
        raise self.lines.error(
            self.numbers[bad], f"the coordinates are {found}, not three finite numbers; {advice}"
        )

    def whole(self, lists: list[Tokens]) -> npt.NDArray[np.int64]:
        """The whole numbers in one list of tokens for each row, one after the other.

        Raises:
            InputError: naming the first line where one is none, or too large for 64 bits.
        """
        try:
            return np.fromiter(map(self.lines.to_int, chain.from_iterable(lists)), np.int64)
        except (ValueError, OverflowError):
            pass
        for number, tokens in zip(self.numbers, lists, strict=True):
            for token in tokens:
                if not _is_int64(token, self.lines.to_int):
                    raise self.lines.error(number, f"{shown(token)} is not a whole number; repair the row")
        raise AssertionError("unreachable: some token has failed")

    def check_lists(self, lists: list[Tokens], sizes: npt.NDArray[np.int64]) -> None:
        """Refuses rows whose list has other than the promised number of tokens."""
        for number, tokens, size in zip(self.numbers, lists, sizes.tolist(), strict=True):
            if len(tokens) != size:
                raise self.lines.error(
                    number, f"a list of {size} values is promised, but {len(tokens)} follow; complete the row"
                )

    def _first_failure(self, pick: Callable[[Tokens], tuple[bytes, ...]]) -> int:
        for index, row in enumerate(self.rows):
            try:
                for token in pick(row):
                    self.lines.to_float(token)
            except ValueError:
                return index
        raise AssertionError("unreachable: some token has failed")


def shown(token: bytes) -> str:
    """A token for a message: quoted, on one line, and not longer than a few words."""
    text = token[:24].decode("utf-8", errors="replace")
    return repr(text + ("…" if len(token) > 24 else ""))


def count_of(token: bytes) -> int | None:
    """A count in a header: decimal digits alone, at most 18 of them; None for anything else."""
    return int(token) if token.isdigit() and len(token) <= 18 else None


def _strict_float(token: bytes) -> float:
    if b"_" in token:
        raise ValueError
    return float(token)


def _strict_int(token: bytes) -> int:
    if b"_" in token:
        raise ValueError
    return int(token)


def _is_int64(token: bytes, convert: Callable[[bytes], int]) -> bool:
    try:
        return -(2**63) <= convert(token) < 2**63
    except ValueError:
        return False
