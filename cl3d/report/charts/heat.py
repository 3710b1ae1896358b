"""A matrix as a heat map in a page."""

from __future__ import annotations

from markupsafe import Markup

from cl3d.html.markup import joined
from cl3d.html.palette import ink_on, on_ramp
from cl3d.report.charts.axes import WIDTH, some
from cl3d.report.charts.values import HeatMap

LEFT, TOP, BOTTOM = 40, 4, 38
WRITTEN = 12
"""Columns up to which the values stand in their fields."""


def height_of(chart: HeatMap) -> float:
    """Of the drawing."""
    return TOP + BOTTOM + _side(chart) * len(chart.names)


def draw_heat(chart: HeatMap) -> Markup:
    """A field for each value, from dark (0) to light (100), with the value in it where it can be read."""
    side = _side(chart)
    fields = (
        _field(chart, row, column, side)
        for row in range(len(chart.names))
        for column in range(len(chart.columns))
    )
    below = TOP + side * len(chart.names)
    columns = (
        Markup("<text x='{:.1f}' y='{:.1f}' text-anchor=middle>{}</text>").format(
            LEFT + (place + 0.5) * side, below + 14, name
        )
        for place, name in some(chart.columns)
    )
    rows = (
        Markup("<text x='{}' y='{:.1f}' text-anchor=end>{}</text>").format(
            LEFT - 5, TOP + (place + 0.5) * side + 4, name
        )
        for place, name in some(chart.names)
    )
    titles = Markup(
        "<text x='{:.1f}' y='{:.1f}' text-anchor=middle>{}</text>"
        "<text transform='translate(12 {:.1f}) rotate(-90)' text-anchor=middle>{}</text>"
    ).format(
        LEFT + side * len(chart.columns) / 2, below + 31, chart.x_label, (TOP + below) / 2, chart.y_label
    )
    return joined(fields) + joined(columns) + joined(rows) + titles


def _side(chart: HeatMap) -> float:
    return min(48.0, (WIDTH - LEFT - 4) / max(1, len(chart.columns)))


def _field(chart: HeatMap, row: int, column: int, side: float) -> Markup:
    value = chart.values[row][column]
    if value is None:
        return Markup("")
    colour = on_ramp(value / 100)
    x, y = LEFT + column * side, TOP + row * side
    told = f"{chart.y_label} {chart.names[row]}, {chart.x_label} {chart.columns[column]}: {value:.1f} %"
    number = Markup("")
    if len(chart.columns) <= WRITTEN:
        number = Markup(
            "<text x='{:.1f}' y='{:.1f}' text-anchor=middle style='fill:{}' pointer-events=none>{:.0f}</text>"
        ).format(x + side / 2, y + side / 2 + 4, ink_on(colour), value)
    return Markup(
        "<rect class=field x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' fill='{}'>"
        "<title>{}</title></rect>{}"
    ).format(x, y, side - 1, side - 1, colour, told, number)
