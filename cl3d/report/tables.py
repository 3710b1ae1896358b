"""Summaries as tables, for a document and for a paper."""

from __future__ import annotations

import re

from cl3d.report.bootstrap import CONFIDENCE
from cl3d.report.summary import Estimate, Row, Summary
from cl3d.report.text_tables import markdown, spread

NOTHING = "–"

LATEX = str.maketrans(
    {
        "%": r"\%",
        "_": r"\_",
        "&": r"\&",
        "#": r"\#",
        "±": r"$\pm$",
        "−": r"$-$",
        "–": "--",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)


def title(summary: Summary) -> str:
    """What a table is of."""
    steps = "one step" if summary.steps == 1 else f"{summary.steps} steps"
    told = (summary.dataset, summary.protocol or "bounds", steps, summary.budget)
    return ", ".join(part for part in told if part)


def as_markdown(summary: Summary) -> str:
    """One line for each memory: mean ± sample standard deviation, paired difference with its interval."""
    head, *rows = as_rows(summary)
    return markdown(head, rows)


def as_latex(summary: Summary) -> str:
    """The same as a ``tabular`` with the rules of booktabs."""
    head, *body = (" & ".join(map(_latex, line)) + r" \\" for line in as_rows(summary))
    shape = "rl" + "r" * (len(columns(summary)) - 2)
    begin, end = rf"\begin{{tabular}}{{{shape}}}", r"\end{tabular}"
    return "\n".join([begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end]) + "\n"


def as_rows(summary: Summary) -> list[list[str]]:
    """The head of the table and its lines."""
    return [columns(summary), *(cells(summary, row) for row in summary.rows)]


def columns(summary: Summary) -> list[str]:
    """The head of the table.

    Final and average are accuracies, or what the head says; task-incremental is the final accuracy where each
    cloud's step is told. ``forward`` is the forward transfer, in percentage points as forgetting is. A dash
    stands for what a run does not have, as an average over steps where all classes come at once.
    """
    figure = "" if summary.figure == "accuracy" else f"{summary.figure} "
    head = ["steps", "memory", "runs", f"final {figure}%", f"average {figure}%"]
    head += [] if figure else ["task-incremental %"]
    head += ["forgetting (max − last)", "forward", "bytes", "clouds", "moved", "seconds", "peak MiB"]
    if summary.reference is None:
        return head
    return [*head, f"final − {summary.reference}, paired ({100 * CONFIDENCE:.0f} % interval)"]


def cells(summary: Summary, row: Row) -> list[str]:
    """A line of the table."""
    told = ["final", "average", "final_task_incremental", "forgetting_max_minus_last", "forward_transfer"]
    if summary.figure != "accuracy":
        told.remove("final_task_incremental")
    line = [
        str(row.steps),
        row.name,
        str(row.runs),
        *(_percent(row.metrics[metric]) for metric in told),
        f"{row.nbytes:,}",
        f"{row.clouds:,.0f}",
        f"{row.moved:.3f}" if row.moved is not None else NOTHING,
        f"{row.seconds:.0f}",
        f"{row.peak_bytes / (1 << 20):,.0f}" if row.peak_bytes is not None else NOTHING,
    ]
    return line if summary.reference is None else [*line, _difference(row.difference)]


def _latex(cell: str) -> str:
    return re.sub(r"(?<!\w)-(?=\d)", "−", cell).translate(LATEX)


def _percent(estimate: Estimate | None) -> str:
    return NOTHING if estimate is None else spread(estimate.mean, estimate.deviation)


def _difference(estimate: Estimate | None) -> str:
    if estimate is None:
        return NOTHING
    mean = f"{100 * estimate.mean:+.1f}"
    if estimate.interval is None:
        return mean
    low, high = estimate.interval
    return f"{mean} ({100 * low:+.1f} to {100 * high:+.1f})"
