"""A chart of curves in a page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cl3d.html.markup import joined
from cl3d.html.palette import LIGHT
from cl3d.report.charts.axes import Axes, span_of
from cl3d.report.charts.values import Line, LineChart

DASHES = ("", "8 3 2 3", "2 3")
"""Of curves whose colours come again; bounds have their own."""

MARKERS = (
    "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z",
    "M-3 -3h6v6h-6z",
    "M0 -3.8L3.6 3H-3.6z",
    "M0 -4.2L4.2 0L0 4.2L-4.2 0z",
    "M0 3.8L3.6 -3H-3.6z",
    "M-3.6 -1.2h2.4v-2.4h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4z",
)


def draw_lines(chart: LineChart) -> Markup:
    """Grid and curves, the main ones on top."""
    lines = chart.shown()
    known = [v for _, line in lines for v in (*line.y, *line.low, *line.high) if v is not None]
    xs = [x for _, line in lines for x in (line.at or chart.x)]
    axes = Axes((min(xs, default=0), max(xs, default=1)), chart.span or span_of(known))
    ticks = sorted(set(xs))
    step = -(-len(ticks) // 10)
    named = [(x, f"{x:,g}") for x in ticks[:: step or 1]]
    curves = (_curve(axes, chart, *shown) for shown in sorted(lines, key=lambda shown: shown[1].main))
    return axes.grid(chart.x_label, chart.y_label, named) + joined(curves)


def legend(chart: LineChart) -> Markup:
    """Each curve's name beside a piece of it."""
    items = (
        Markup("<li><svg viewBox='0 0 28 12' aria-hidden=true class=chart-key>{}{}</svg>{}</li>").format(
            _stroke(line, number, "M0 6H28"), _marker(line, number, 14, 6, ""), line.name
        )
        for number, line in chart.shown()
    )
    return Markup("<ul class=legend>{}</ul>").format(joined(items))


def _curve(axes: Axes, chart: LineChart, number: int, line: Line) -> Markup:
    at = line.at or chart.x
    points = [(axes.across(x), axes.up(y)) for x, y in zip(at, line.y, strict=True) if y is not None]
    told = [
        f"{line.name}, {chart.x_label} {x:,g}: {y:,.1f}"
        for x, y in zip(at, line.y, strict=True)
        if y is not None
    ]
    marks = (_marker(line, number, x, y, text) for (x, y), text in zip(points, told, strict=True))
    return Markup("<g class='{}'>{}{}{}</g>").format(
        "main" if line.main else "other",
        _band(axes, line, number, at),
        _stroke(line, number, _path(points)),
        joined(marks),
    )


def _band(axes: Axes, line: Line, number: int, at: Sequence[float]) -> Markup:
    if not line.low or list(line.low) == list(line.high):
        return Markup("")
    upper = [(axes.across(x), axes.up(y)) for x, y in zip(at, line.high, strict=True) if y is not None]
    lower = [(axes.across(x), axes.up(y)) for x, y in zip(at, line.low, strict=True) if y is not None]
    return Markup("<path d='{}z' fill='var(--series-{})' opacity=.15 />").format(
        _path(upper + lower[::-1]), number % len(LIGHT)
    )


def _stroke(line: Line, number: int, path: str) -> Markup:
    dash = "" if line.bound else DASHES[number // len(LIGHT) % len(DASHES)]
    return Markup("<path class='line{}' d='{}' stroke='var(--series-{})'{}/>").format(
        " bound" if line.bound else "",
        path,
        number % len(LIGHT),
        Markup(" stroke-dasharray='{}'").format(dash) if dash else "",
    )


def _marker(line: Line, number: int, x: float, y: float, told: str) -> Markup:
    if line.bound and not told:
        return Markup("")
    title = Markup("<title>{}</title>").format(told) if told else Markup("")
    # a bound's points are there to be pointed at, and not seen
    seen = Markup(" opacity=0") if line.bound else Markup("")
    return Markup(
        "<path transform='translate({:.1f} {:.1f})' d='{}' fill='var(--series-{})'{}>{}</path>"
    ).format(x, y, MARKERS[number % len(MARKERS)], number % len(LIGHT), seen, title)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""
