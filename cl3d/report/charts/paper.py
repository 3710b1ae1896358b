"""Charts for a paper: PNG, PDF or SVG by matplotlib."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cl3d.html.palette import RAMP, ink_on, on_ramp
from cl3d.report.charts.heat import WRITTEN
from cl3d.report.charts.values import BarChart, Chart, HeatMap, LineChart
from cl3d.report.picture import check_ending, write_picture
from cl3d.report.style import PALETTE, curve_style


def save_chart(path: Path, chart: Chart, legend: str | None = None) -> None:
    """Draws a chart; the file appears whole or not at all.

    Args:
        path: ends in .png, .pdf or .svg.
        legend: its title.

    Raises:
        InputError: if the ending is another one, or the file cannot be written.
    """
    check_ending(path)
    figure = Figure(figsize=_size(chart), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=chart.x_label, ylabel=chart.y_label)
    if isinstance(chart, LineChart):
        _lines(axes, chart, legend)
    elif isinstance(chart, BarChart):
        _bars(axes, chart, legend)
    else:
        _heat(axes, chart)
    write_picture(path, figure, 150)


def _size(chart: Chart) -> tuple[float, float]:
    if not isinstance(chart, HeatMap):
        return 7, 4
    side = 0.45 if len(chart.columns) <= WRITTEN else 0.25
    return 1.5 + side * len(chart.columns), 1.0 + side * len(chart.names)


def _lines(axes: Axes, chart: LineChart, legend: str | None) -> None:
    for number, line in chart.shown():
        style, at = curve_style(number), list(line.at or chart.x)
        known = [(x, y) for x, y in zip(at, line.y, strict=True) if y is not None]
        if line.bound:
            style = {"color": style["color"], "linestyle": "--"}
        axes.plot([x for x, _ in known], [y for _, y in known], label=line.name, **style)
        if line.low:
            low, high = ([0.0 if v is None else v for v in values] for values in (line.low, line.high))
            axes.fill_between(at, low, high, color=style["color"], alpha=0.15, linewidth=0)
    heights = [value for line in chart.lines for value in line.y if value is not None]
    axes.set_ylim(*(chart.span or (min([0.0, *heights]), None)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(title=legend, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _bars(axes: Axes, chart: BarChart, legend: str | None) -> None:
    below = [0.0] * len(chart.names)
    for number, (part, values) in enumerate(chart.parts.items()):
        heights = [value or 0.0 for value in values]
        axes.bar(chart.names, heights, bottom=below, label=part, color=PALETTE[number % len(PALETTE)])
        below = [a + b for a, b in zip(below, heights, strict=True)]
    axes.grid(alpha=0.3, axis="y")
    if len(chart.parts) > 1:
        axes.legend(title=legend, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _heat(axes: Axes, chart: HeatMap) -> None:
    filled = [[float("nan") if value is None else value for value in row] for row in chart.values]
    ramp = LinearSegmentedColormap.from_list("ramp", RAMP)
    axes.imshow(filled, vmin=0, vmax=100, cmap=ramp)
    axes.set_xticks(range(len(chart.columns)), chart.columns)
    axes.set_yticks(range(len(chart.names)), chart.names)
    if len(chart.columns) > WRITTEN:
        return
    for row, values in enumerate(chart.values):
        for column, value in enumerate(values):
            if value is not None:
                ink = ink_on(on_ramp(value / 100))
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=8)
