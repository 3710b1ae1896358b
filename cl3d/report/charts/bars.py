"""A chart of bars in a page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cl3d.html.markup import joined
from cl3d.report.charts.axes import Axes, some, span_of
from cl3d.report.charts.values import BarChart

THICK = 0.7
"""Of a bar, as a fraction of its place."""


def draw_bars(chart: BarChart) -> Markup:
    """Grid and bars; the first part stands at the bottom."""
    columns = list(zip(*chart.parts.values(), strict=True))
    sums = [sum(value or 0.0 for value in column) for column in columns]
    axes = Axes((-0.5, len(chart.names) - 0.5), span_of(sums))
    bars = (_bar(axes, chart, place, column) for place, column in enumerate(columns))
    return axes.grid(chart.x_label, chart.y_label, some(chart.names)) + joined(bars)


def legend(parts: Sequence[str]) -> Markup:
    """The parts' names beside their colours; nothing where there is one part."""
    if len(parts) < 2:
        return Markup("")
    items = (
        Markup("<li><span class=swatch style='background:var(--series-{})'></span>{}</li>").format(
            number, part
        )
        for number, part in enumerate(parts)
    )
    return Markup("<ul class=legend>{}</ul>").format(joined(items))


def _bar(axes: Axes, chart: BarChart, place: int, column: Sequence[float | None]) -> Markup:
    below, pieces = 0.0, []
    left, right = axes.across(place - THICK / 2), axes.across(place + THICK / 2)
    for number, (part, value) in enumerate(zip(chart.parts, column, strict=True)):
        height = value or 0.0
        bottom, top = axes.up(below), axes.up(below + height)
        told = f"{chart.x_label} {chart.names[place]}, {part}: {height:,.4g} {chart.y_label}"
        pieces.append(
            Markup(
                "<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' fill='var(--series-{})'>"
                "<title>{}</title></rect>"
            ).format(left, top, right - left, bottom - top, number, told)
        )
        below += height
    return joined(pieces)
