"""Accuracy against bytes of finished comparisons.

Examples:
  python scripts/pareto.py runs/* --out pareto.png
  python scripts/pareto.py runs/ppc_1 runs/ppc_5 --out pareto.pdf
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.pareto import read_comparisons, save_pareto


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("comparisons", nargs="+", type=Path, help="folders that compare.py wrote")
    parser.add_argument("--out", type=Path, default=Path("pareto.png"), help=".png, .pdf or .svg")
    arguments = parser.parse_args()

    def draw() -> None:
        save_pareto(arguments.out, *read_comparisons(arguments.comparisons))
        print(f"written: {arguments.out}")

    return refused(draw)


if __name__ == "__main__":
    sys.exit(main())
