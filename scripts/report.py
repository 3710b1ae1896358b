"""A run as a page to look at; several on one page, compared.

Examples:
  python scripts/report.py runs/pcc
  python scripts/report.py runs/sweep --reference herding
  python scripts/report.py runs/dd3d --points 256 4096
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, help="folders of runs, finished or not, or one of a sweep"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the file; default: report.html in a single run's folder, else comparison.html",
    )
    parser.add_argument("--points", type=int, nargs="+", default=[], help="decode generators to these, too")
    parser.add_argument(
        "--beside", type=Path, nargs="+", default=[], help="further runs in a single one's curves"
    )
    parser.add_argument("--reference", help="compare several with this memory, paired by seeds")
    arguments = parser.parse_args()

    def write() -> None:
        from cl3d.report.pages.write import write_report

        path = write_report(
            arguments.runs,
            arguments.out,
            resolutions=arguments.points,
            beside=arguments.beside,
            reference=arguments.reference,
        )
        print(f"written: {path}")

    return refused(write)


if __name__ == "__main__":
    sys.exit(main())
