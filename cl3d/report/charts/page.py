"""A chart as a figure of a page: drawing, legend, and the same as a table."""

from __future__ import annotations

from markupsafe import Markup

from cl3d.html.markup import details, table
from cl3d.report.charts import bars, heat, lines
from cl3d.report.charts.axes import HEIGHT, WIDTH
from cl3d.report.charts.values import BarChart, Chart, LineChart


def figure(chart: Chart) -> Markup:
    """The chart with a title, a text for who cannot see it, and a table behind it."""
    height: float = HEIGHT
    if isinstance(chart, LineChart):
        drawing, legend = lines.draw_lines(chart), lines.legend(chart)
    elif isinstance(chart, BarChart):
        drawing, legend = bars.draw_bars(chart), bars.legend(list(chart.parts))
    else:
        drawing, legend, height = heat.draw_heat(chart), Markup(""), heat.height_of(chart)
    return Markup(
        "<figure class=chart><figcaption>{}</figcaption><svg viewBox='0 0 {} {:.0f}' "
        "role=img aria-label='{}'>{}</svg>{}{}</figure>\n"
    ).format(
        chart.title,
        WIDTH,
        height,
        f"{chart.title}. {chart.about}",
        drawing,
        legend,
        details("As a table", table(*chart.rows(), caption=chart.title)),
    )
