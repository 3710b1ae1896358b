"""Fills the tables of docs/results.md with what was measured: python docs/generators/result_tables.py.

``--add FOLDER NAME`` first takes in what ``scripts/compare.py`` or ``scripts/cross.py`` left: the rows of
``FOLDER/comparison.csv`` or ``cross.csv`` join those in ``docs/results/NAME/``, or replace those of the same
cells; ``FOLDER/comparison.md`` of ``scripts/compare_cl.py`` replaces what is there. What was measured stands
between ``<!-- table NAME -->`` and ``<!-- end -->``; nobody types in it.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cl3d.atomic import write_text
from cl3d.report.compare import columns, table
from cl3d.report.cross_table import accuracies
from cl3d.report.text_tables import as_csv, markdown

DOCS = Path(__file__).parents[1]
PAGE = DOCS / "results.md"
MEASURED = DOCS / "results"
PLACE = re.compile(r"(<!-- table (\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
NOT_SHOWN = "peak MiB"
"""A process that prepares the data first has it in its peak, so that rows do not compare."""

Results = list[dict[str, Any]]


class Kind(NamedTuple):
    """A table of results.

    Attributes:
        file: that a script left.
        shown: prints it as Markdown.
        joined: the file that keeps what was there and what has come.
    """

    file: str
    shown: Callable[[Path], str]
    joined: Callable[[Path, Path], str]


def rows(file: str, cell: tuple[str, ...], printed: Callable[[Results], str]) -> Kind:
    """A file of rows, of which some columns name the cell."""

    def joined(there: Path, more: Path) -> str:
        found = [*(read(there) if there.exists() else []), *read(more)]
        return as_csv(list({tuple(row[column] for column in cell): row for row in found}.values()))

    return Kind(file, lambda path: printed(read(path)), joined)


def text(file: str) -> Kind:
    """A file of Markdown, whose sections become some of a section of the page."""
    return Kind(
        file,
        lambda path: re.sub(r"^## ", "### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE),
        lambda there, more: more.read_text(encoding="utf-8"),
    )


def compared(results: Results) -> str:
    """What compare.py prints."""
    heads = columns(results)
    kept = [place for place, head in enumerate(heads) if head != NOT_SHOWN]
    head, *lines = ([row[place] for place in kept] for row in (heads, *table(results)))
    return markdown(head, lines)


KINDS = (
    rows("comparison.csv", ("condenser", "seed"), compared),
    rows("cross.csv", ("set", "model", "seed"), accuracies),
    text("comparison.md"),
)


def filled(page: str, measured: Path = MEASURED) -> str:
    """The page with all its tables as measured; what has not been measured is said to be not run."""
    return PLACE.sub(lambda place: f"{place[1]}\n{shown(measured / place[2])}\n", page)


def shown(folder: Path) -> str:
    """One table as Markdown."""
    kind = kind_in(folder)
    return "Not run.\n" if kind is None else kind.shown(folder / kind.file)


def kind_in(folder: Path) -> Kind | None:
    """Of the results in a folder, if there are some."""
    return next((kind for kind in KINDS if (folder / kind.file).exists()), None)


def add(folder: Path, name: str, measured: Path = MEASURED) -> None:
    """Takes in a table."""
    kind = kind_in(folder)
    if kind is None:
        names = " or ".join(kind.file for kind in KINDS)
        raise FileNotFoundError(f"{folder} has no {names}: give the folder of a finished comparison")
    path = measured / name / kind.file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, kind.joined(path, folder / kind.file))


def read(path: Path) -> Results:
    """The results in a file, with numbers as numbers; what is empty was not measured."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def value(text: str) -> str | bool | int | float | None:
    """A cell as it was before it was written."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--add", nargs=2, metavar=("FOLDER", "NAME"))
    arguments = parser.parse_args()
    if arguments.add:
        folder, name = arguments.add
        if f"<!-- table {name} -->" not in PAGE.read_text(encoding="utf-8"):
            parser.error(f"docs/results.md has no place for it: write <!-- table {name} --> and <!-- end -->")
        add(Path(folder), name)
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
