"""Fills the tables of docs/results.md with what was measured: python docs/generators/result_tables.py.

``--add FOLDER NAME`` first takes in what ``scripts/compare.py`` left: the rows of ``FOLDER/comparison.csv``
join those of ``docs/results/NAME/comparison.csv``, or replace them where condenser and seed are the same.
A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; nobody types in it.
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path
from typing import Any

from cl3d.atomic import write_text
from cl3d.report.compare import columns, table
from cl3d.report.text_tables import as_csv, markdown

DOCS = Path(__file__).parents[1]
PAGE = DOCS / "results.md"
MEASURED = DOCS / "results"
PLACE = re.compile(r"(<!-- table (\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
NOT_SHOWN = "peak MiB"
"""A process that prepares the data first has it in its peak, so that rows do not compare."""


def filled(page: str, measured: Path = MEASURED) -> str:
    """The page with all its tables as measured; what has not been measured is said to be not run."""
    return PLACE.sub(lambda place: f"{place[1]}\n{shown(measured / place[2])}\n", page)


def shown(folder: Path) -> str:
    """One comparison as Markdown."""
    path = folder / "comparison.csv"
    if not path.exists():
        return "Not run.\n"
    results = read(path)
    heads = columns(results)
    kept = [place for place, head in enumerate(heads) if head != NOT_SHOWN]
    head, *rows = ([row[place] for place in kept] for row in (heads, *table(results)))
    return markdown(head, rows)


def add(folder: Path, name: str, measured: Path = MEASURED) -> None:
    """Takes in a comparison."""
    path = measured / name / "comparison.csv"
    rows = {(row["condenser"], row["seed"]): row for row in (read(path) if path.exists() else [])}
    rows |= {(row["condenser"], row["seed"]): row for row in read(folder / "comparison.csv")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, as_csv(list(rows.values())))


def read(path: Path) -> list[dict[str, Any]]:
    """The results in a ``comparison.csv``, with numbers as numbers; what is empty was not measured."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def value(text: str) -> str | int | float | None:
    """A cell as it was before it was written."""
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
