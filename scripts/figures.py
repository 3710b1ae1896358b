"""Accuracy curves of finished runs: python scripts/figures.py runs/random runs/pcc --out curves.png."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.collect import collect
from cl3d.report.curves import save_accuracy_curves


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders that cl_run.py wrote, or one of a sweep")
    parser.add_argument("--out", type=Path, default=Path("curves.png"), help=".png, .pdf or .svg")
    arguments = parser.parse_args()

    def draw() -> None:
        save_accuracy_curves(arguments.out, collect(arguments.runs))
        print(f"written: {arguments.out}")

    return refused(draw)


if __name__ == "__main__":
    sys.exit(main())
