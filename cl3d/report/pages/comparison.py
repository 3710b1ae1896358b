"""Several continual runs on one page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from markupsafe import Markup

from cl3d.errors import InputError
from cl3d.html.markup import joined, paragraph, section, table
from cl3d.report.charts.of_runs import costs_side_by_side, curves_over_classes, matrix_of
from cl3d.report.charts.page import figure
from cl3d.report.collect import distinguished
from cl3d.report.groups import Run, names_of, side_by_side, steps_of
from cl3d.report.headline import figure_name, headline
from cl3d.report.pages.continual import FORGETTING, points
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, notices, page, what_was_run
from cl3d.report.summary import summarize
from cl3d.report.tables import cells, columns, title


def report(found: Sequence[Found], resolutions: Sequence[int] = (), reference: str | None = None) -> str:
    """The page.

    Args:
        resolutions: points to decode to, of memories that decode to any number.
        reference: the memory that the others are compared with, paired by seeds.

    Raises:
        InputError: if not all are continual runs, none is finished, or they cannot stand side by side.
    """
    strangers = [str(one.folder) for one in found if one.script != "cl_run"]
    if strangers:
        raise InputError(
            f"{', '.join(strangers)}: runs of cl_run.py and others do not stand on one page: leave these out"
        )
    told = [f"Left out: {one.folder}: {one.status}." for one in found if one.status != "finished"]
    told += [f"{one.folder}: {fault}." for one in found for fault in one.faults]
    whole = [one for one in found if one.status == "finished" and one.results is not None]
    if not whole:
        raise InputError("none of these runs is finished: give one that is, or each alone")
    runs = distinguished([one.results for one in whole if one.results is not None])
    names = names_of(runs)
    tables = side_by_side(runs)
    of_memory = {name: one.sets for name, one in zip(names, whole, strict=True)}
    return page(
        f"{len(whole)} runs on {', '.join(sorted({run['settings']['dataset'] for run in runs}))}",
        "; ".join(names),
        notices(told),
        *(_table(runs_of, reference, len(tables) > 1) for runs_of in tables),
        guarded("Matrices", partial(_matrices, names, runs)),
        guarded("Forgetting", partial(_forgetting, names, runs)),
        guarded("Costs", partial(_costs, names, runs)),
        guarded("The memories", partial(clouds, of_memory, runs[0]["settings"]["class_names"], resolutions)),
        *(
            guarded("What was run", partial(_settings, name, number, one))
            for number, (name, one) in enumerate(zip(names, whole, strict=True), 1)
        ),
    )


def _table(runs: Sequence[Run], reference: str | None, several: bool) -> Markup:
    """The curves and the table of runs that may stand side by side."""
    summary = summarize(runs, reference)
    rows = [cells(summary, row) for row in summary.rows]
    shown = [[row[1], row[0], *row[2:]] for row in rows]
    head = columns(summary)
    head = [head[1], head[0], *head[2:]]
    figure_title = headline(runs[0]).title
    name = f"{figure_title}: {title(summary)}" if several else figure_title
    note = "Mean and sample standard deviation over seeds and class orders; forgetting is in points."
    anchor = f"accuracy-{summary.protocol or 'bounds'}-{summary.steps}"
    return section(
        name, figure(curves_over_classes(runs)), table(head, shown), paragraph(note, "quiet"), anchor=anchor
    )


def _matrices(names: Sequence[str], runs: Sequence[Run]) -> Markup:
    pieces = [
        Markup("<div><h3>{}</h3>{}</div>").format(name, figure(matrix_of(run)))
        for name, run in zip(names, runs, strict=True)
        if len(headline(run).matrix) > 1
    ]
    return _figures(f"{headline(runs[0]).title} matrices", pieces, "matrices")


def _forgetting(names: Sequence[str], runs: Sequence[Run]) -> Markup:
    rows = [
        (name, *(points(run["forgetting"][key]) for key, _, _ in FORGETTING))
        for name, run in zip(names, runs, strict=True)
        if steps_of(run) > 1
    ]
    if not rows:
        return Markup("")
    head = ["run", *(f"{called} (points)" for _, called, _ in FORGETTING)]
    told = figure_name(runs[0])
    meaning = "; ".join(f"{called}: {what.format(figure=told)}" for _, called, what in FORGETTING)
    return section("Forgetting", table(head, rows), paragraph(f"{meaning}.", "quiet"), anchor="forgetting")


def _costs(names: Sequence[str], runs: Sequence[Run]) -> Markup:
    return _figures("Costs", [figure(chart) for chart in costs_side_by_side(names, runs)], "costs")


def _figures(name: str, pieces: Sequence[Markup], anchor: str) -> Markup:
    if not pieces:
        return Markup("")
    return section(name, Markup("<div class=figures>{}</div>").format(joined(pieces)), anchor=anchor)


def _settings(name: str, number: int, one: Found) -> Markup:
    return what_was_run(one, [("seed", one.config.get("seed"))], name, number)
