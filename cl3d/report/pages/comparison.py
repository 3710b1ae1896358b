"""Several continual runs on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from markupsafe import Markup

from cl3d.errors import InputError
from cl3d.html.markup import joined, paragraph, section, table
from cl3d.report.charts.costs import costs_side_by_side
from cl3d.report.charts.of_runs import curves_over_classes, matrix_of
from cl3d.report.charts.page import figure
from cl3d.report.charts.values import Chart
from cl3d.report.collect import distinguished
from cl3d.report.groups import Run, names_of, side_by_side, steps_of
from cl3d.report.headline import figure_name, headline
from cl3d.report.jobs import slug
from cl3d.report.pages.continual import FORGETTING, points
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, notices, page, what_each_run_was
from cl3d.report.summary import Summary, summarize_each
from cl3d.report.tables import as_rows, title


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
    apart = side_by_side(runs)
    tables = [_Table(*one) for one in zip(apart, summarize_each(apart, reference), strict=True)]
    several = len(tables) > 1
    of_memory = {name: one.sets for name, one in zip(names, whole, strict=True)}
    return page(
        f"{len(whole)} runs on {', '.join(sorted({run['settings']['dataset'] for run in runs}))}",
        "; ".join(names),
        notices(told),
        *(_accuracy(one, several) for one in tables),
        guarded("Matrices", partial(_matrices, names, runs)),
        guarded("Forgetting", partial(_forgetting, names, runs)),
        *(guarded("Costs", partial(_costs, one, several)) for one in tables),
        guarded("The memories", partial(clouds, of_memory, runs[0]["settings"]["class_names"], resolutions)),
        what_each_run_was(names, whole),
    )


@dataclass(frozen=True)
class _Table:
    """Runs that may stand side by side."""

    runs: Sequence[Run]
    summary: Summary

    def section(self, name: str, anchor: str, several: bool, *content: Markup) -> Markup:
        """A section of theirs, which says whose where there are several tables."""
        told = title(self.summary)
        name, anchor = (f"{name}: {told}", f"{anchor}-{slug(told)}") if several else (name, anchor)
        return section(name, *content, anchor=anchor)


def _accuracy(of: _Table, several: bool) -> Markup:
    """The curves and the table."""
    head, *rows = ([row[1], row[0], *row[2:]] for row in as_rows(of.summary))
    note = "Mean and sample standard deviation over seeds and class orders; forgetting is in points."
    content = (figure(curves_over_classes(of.runs)), table(head, rows), paragraph(note, "quiet"))
    return of.section(headline(of.runs[0]).title, "accuracy", several, *content)


def _costs(of: _Table, several: bool) -> Markup:
    charts = costs_side_by_side(of.runs)
    return of.section("Costs", "costs", several, _figures(charts)) if charts else Markup("")


def _matrices(names: Sequence[str], runs: Sequence[Run]) -> Markup:
    charts = {
        name: matrix_of(run) for name, run in zip(names, runs, strict=True) if len(headline(run).matrix) > 1
    }
    if not charts:
        return Markup("")
    named = [replace(one, title=name, about=f"{one.title}. {one.about}") for name, one in charts.items()]
    return section(f"{headline(runs[0]).title} matrices (%)", _figures(named), anchor="matrices")


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


def _figures(charts: Sequence[Chart]) -> Markup:
    return Markup("<div class=figures>{}</div>").format(joined(map(figure, charts)))
