"""Finished runs as tables: a table for each data set, protocol, number of steps and budget.

Examples:
  python scripts/tables.py runs/sweep --reference herding
  python scripts/tables.py runs/random runs/pcc --latex
  python scripts/tables.py runs/sweep --csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.collect import collect
from cl3d.report.groups import side_by_side
from cl3d.report.records import of_rows
from cl3d.report.summary import summarize_each
from cl3d.report.tables import as_latex, as_markdown, title
from cl3d.report.text_tables import as_csv


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders that cl_run.py wrote, or one of a sweep")
    parser.add_argument("--reference", help="compare with this memory, paired by seeds")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--latex", action="store_true", help="for a paper that uses booktabs; default: Markdown"
    )
    form.add_argument("--csv", action="store_true", help="all numbers, accuracies as fractions")
    arguments = parser.parse_args()

    def show() -> None:
        tables = summarize_each(side_by_side(collect(arguments.runs)), arguments.reference)
        for table in tables:
            if len(tables) > 1:
                print(f"{title(table)}\n")
            if arguments.csv:
                print(as_csv(of_rows(table)))
            else:
                print(as_latex(table) if arguments.latex else as_markdown(table))

    return refused(show)


if __name__ == "__main__":
    sys.exit(main())
