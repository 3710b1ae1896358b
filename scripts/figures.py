"""Figures of finished runs: the accuracy curves in one file, or all figures in a folder.

Examples:
  python scripts/figures.py runs/random runs/pcc --out curves.png
  python scripts/figures.py runs/sweep --out figures --reference herding
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.collect import collect
from cl3d.report.curves import save_curves
from cl3d.report.figures import save_figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders that cl_run.py wrote, or one of a sweep")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("curves.png"),
        help="the curves as .png, .pdf or .svg; or a folder, for all figures as PNG and PDF, and tables",
    )
    parser.add_argument("--reference", help="in the tables, compare with this memory, paired by seeds")
    arguments = parser.parse_args()

    def draw() -> None:
        runs = collect(arguments.runs)
        if arguments.out.suffix:
            save_curves(arguments.out, runs)
            print(f"written: {arguments.out}")
        else:
            written = save_figures(arguments.out, runs, arguments.reference)
            print(f"written: {arguments.out}: {', '.join(path.name for path in written)}")

    return refused(draw)


if __name__ == "__main__":
    sys.exit(main())
