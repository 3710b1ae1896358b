"""Runs that are finished, interrupted or running, the newest first; reads only.

Examples:
  python scripts/runs.py                         # below runs/
  python scripts/runs.py runs/sweep --state interrupted
  python scripts/runs.py runs --all --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from cl3d.cli import refused
from cl3d.report.overview.listing import as_lines, as_records, runs_in

STATES = ("finished", "running", "interrupted", "failed", "damaged")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("runs")], help="default: runs")
    parser.add_argument("--state", choices=STATES, help="only those")
    parser.add_argument("--all", action="store_true", help="also single runs that comparisons have started")
    parser.add_argument("--json", action="store_true", help="for other programs")
    arguments = parser.parse_args()

    def show() -> None:
        found = runs_in(arguments.folders, arguments.all)
        found = [one for one in found if arguments.state in (None, one.state)]
        try:
            print(json.dumps(as_records(found), indent=1) if arguments.json else as_lines(found), flush=True)
        except BrokenPipeError:  # runs.py | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return refused(show)


if __name__ == "__main__":
    sys.exit(main())
