"""All figures and tables of finished runs, for a paper: PNG and PDF, CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cl3d.atomic import write_text
from cl3d.distill import SyntheticSet
from cl3d.report.charts.of_runs import charts_of, curves_over_classes
from cl3d.report.charts.paper import save_chart
from cl3d.report.gallery import Panel, class_panels, save_gallery
from cl3d.report.groups import Run, names_of, side_by_side
from cl3d.report.jobs import slug
from cl3d.report.pages.found import find
from cl3d.report.records import of_rows
from cl3d.report.summary import summarize_each
from cl3d.report.tables import as_latex, title
from cl3d.report.text_tables import as_csv

ENDINGS = (".png", ".pdf")


def save_figures(folder: Path, runs: Sequence[Run], reference: str | None = None) -> list[Path]:
    """Writes the figures of a report, each as PNG and PDF, and its tables, as CSV and LaTeX.

    The curves and tables are of all runs that may stand side by side; the accuracy matrix, forgetting, costs
    and the memory's first cloud of each class are of each run.

    Args:
        folder: of the files; it is made.
        runs: as :func:`cl3d.report.collect.collect` gives them.
        reference: the memory that others are compared with in the tables.

    Returns:
        The files.

    Raises:
        InputError: if runs cannot stand side by side, or the folder cannot be written to.
    """
    written = []
    tables = side_by_side(runs)
    for members, summary in zip(tables, summarize_each(tables, reference), strict=True):
        tail = f"_{slug(title(summary))}" if len(tables) > 1 else ""
        for ending in ENDINGS:
            written.append(folder / f"curves{tail}{ending}")
            save_chart(written[-1], curves_over_classes(members), legend="memory (runs)")
        for ending, text in ((".csv", as_csv(of_rows(summary))), (".tex", as_latex(summary))):
            written.append(folder / f"table{tail}{ending}")
            write_text(written[-1], text)
    for name, run in zip(names_of(runs), runs, strict=True):
        tail = f"_{slug(name)}" if len(runs) > 1 else ""
        for kind, chart in charts_of(run).items():
            for ending in ENDINGS:
                written.append(folder / f"{kind}{tail}{ending}")
                save_chart(written[-1], chart)
        panels = _memory(run)
        for ending in ENDINGS if panels else ():
            written.append(folder / f"memory{tail}{ending}")
            save_gallery(written[-1], panels)
    return written


def _memory(run: Run) -> list[Panel]:
    """The first cloud of each class in the memory."""
    names = run["settings"]["class_names"]
    sets: list[SyntheticSet] = [stored.synthetic for stored in find(Path(run["folder"])).sets]
    return [panel for synthetic in sets for panel in class_panels(synthetic.decode(), names)]
