"""What a chart shows, apart from how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

Values = Sequence[float | None]


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        y: a value for each x of the chart; None leaves a gap.
        low, high: of a band around it; as long as ``y``, or empty.
        main: whether it is the one to look at.
        bound: whether it is what others are held against: drawn dashed, without markers.
        at: its own x, where they are not the chart's.

    One without values is not shown, and keeps its colour from others.
    """

    name: str
    y: Values
    low: Values = ()
    high: Values = ()
    main: bool = False
    bound: bool = False
    at: tuple[float, ...] = ()


@dataclass(frozen=True)
class LineChart:
    """Curves over one axis.

    Attributes:
        about: what is seen, for who cannot see it; a sentence.
        span: of the y axis; None takes that of the values, and 0.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    lines: tuple[Line, ...]
    about: str
    span: tuple[float, float] | None = None

    def shown(self) -> list[tuple[int, Line]]:
        """The curves that have values, each with the number of its colour and marker."""
        return [(number, line) for number, line in enumerate(self.lines) if line.y]

    def rows(self) -> tuple[list[str], list[list[str | None]]]:
        """The same as a table: a row for each x."""
        lines = [line for _, line in self.shown()]
        xs = sorted({x for line in lines for x in (line.at or self.x)})
        values = [dict(zip(line.at or self.x, line.y, strict=True)) for line in lines]
        rows = [[f"{x:,g}", *(_told(value.get(x)) for value in values)] for x in xs]
        return [self.x_label, *(line.name for line in lines)], rows


@dataclass(frozen=True)
class BarChart:
    """Bars beside each other, each of parts upon each other.

    Attributes:
        names: of the bars.
        parts: the height of each bar's part, by the part's name.
        about: see :class:`LineChart`.
    """

    title: str
    x_label: str
    y_label: str
    names: tuple[str, ...]
    parts: Mapping[str, Values]
    about: str

    def rows(self) -> tuple[list[str], list[list[str | None]]]:
        """The same as a table: a row for each bar."""
        columns = zip(*self.parts.values(), strict=True)
        rows = [[name, *map(_told, values)] for name, values in zip(self.names, columns, strict=True)]
        return [self.x_label, *(f"{part} ({self.y_label})" for part in self.parts)], rows


@dataclass(frozen=True)
class HeatMap:
    """A matrix of values from 0 to 100; None is an empty field.

    Attributes:
        about: see :class:`LineChart`.
    """

    title: str
    x_label: str
    y_label: str
    columns: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[Values, ...]
    about: str

    def rows(self) -> tuple[list[str], list[list[str | None]]]:
        """The same as a table."""
        head = [f"{self.y_label} / {self.x_label}", *self.columns]
        return head, [[name, *map(_told, row)] for name, row in zip(self.names, self.values, strict=True)]


Chart = LineChart | BarChart | HeatMap


def averaged(curves: Sequence[Sequence[float]]) -> tuple[list[float], list[float], list[float]]:
    """Mean, smallest and largest value of several curves at each place."""
    places = list(zip(*curves, strict=True))
    mean, low, high = ([float(of(place)) for place in places] for of in (fmean, min, max))
    return mean, low, high


def _told(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
