"""Markup that escapes what it is given: names of classes and settings may hold anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape


def joined(pieces: Iterable[Markup | str]) -> Markup:
    """Pieces one after the other; those that are no markup are escaped."""
    return Markup("").join(pieces)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> Markup:
    """A table whose first column names the rows; it scrolls by itself where it is too wide.

    A cell that is a number, or a text that starts as one, stands to the right; None is an empty cell.
    """
    rows = [list(row) for row in rows]
    names = joined(
        Markup("<th scope=col{}>{}</th>").format(_kind(rows[0][place] if rows else ""), name)
        for place, name in enumerate(head)
    )
    body = joined(Markup("<tr>{}</tr>\n").format(_row(row)) for row in rows)
    title = Markup("<caption>{}</caption>").format(caption) if caption else Markup("")
    return Markup(
        "<div class=scroll tabindex=0 role=region aria-label='{}'><table>{}<thead><tr>{}</tr></thead>"
        "<tbody>\n{}</tbody></table></div>"
    ).format(caption or "table", title, names, body)


def definitions(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Names and their values, below each other."""
    rows = (Markup("<div><dt>{}</dt><dd>{}</dd></div>\n").format(*pair) for pair in pairs)
    return Markup("<dl class=facts>\n{}</dl>\n").format(joined(rows))


def details(summary: str, content: Markup) -> Markup:
    """Content that is folded away."""
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, content)


def section(title: str, *content: Markup, anchor: str) -> Markup:
    """A section with a heading of its own."""
    return Markup(
        "<section id='{}' aria-labelledby='{}-title'><h2 id='{}-title'>{}</h2>\n{}</section>\n"
    ).format(anchor, anchor, anchor, title, joined(content))


def paragraph(text: Markup | str, kind: str = "") -> Markup:
    """A paragraph; ``kind`` is its CSS class."""
    return Markup("<p class='{}'>{}</p>\n").format(kind, text) if kind else Markup("<p>{}</p>\n").format(text)


def json_block(name: str, content: Any) -> Markup:
    """A value for a script of the page, which finds it by its ``data-`` name.

    Nothing in it can end the block early: ``<`` stands there as a JSON escape.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Markup("<script type='application/json' data-{}>{}</script>").format(
        Markup(escape(name)), Markup(text)
    )


def _row(row: Sequence[object]) -> Markup:
    first, *rest = row
    cells = (Markup("<td{}>{}</td>").format(_kind(cell), "" if cell is None else cell) for cell in rest)
    return Markup("<th scope=row>{}</th>").format(first) + joined(cells)


def _kind(cell: object) -> Markup:
    """The CSS class of a cell."""
    text = str(cell)
    number = isinstance(cell, int | float) or text[:1].isdigit() or text[:1] in "+−–-"
    return Markup(" class=number") if number and text else Markup("")
