"""Finished runs as one Markdown table: python scripts/tables.py runs/* --reference herding."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.curves import read_results
from cl3d.report.tables import markdown_table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders that cl_run.py wrote")
    parser.add_argument("--reference", help="compare with this memory, paired by seed")
    arguments = parser.parse_args()

    def show() -> None:
        print(markdown_table([read_results(folder) for folder in arguments.runs], arguments.reference))

    return refused(show)


if __name__ == "__main__":
    sys.exit(main())
