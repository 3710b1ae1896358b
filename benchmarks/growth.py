"""How an update's cost grows: python benchmarks/growth.py [--json FILE] [--out FILE.png].

Seconds of one update of DM and of PCC against classes, clouds per class, points and real batch, the others as
they are by default; sizes take turns, round after round. The exponent is the slope of a line through the
logarithms: 1 is linear growth. Below 1 a part of the cost does not grow (drawing and freezing networks).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from measuring import in_turns, spread
from update_cases import CASES, Workload

from cl3d.atomic import write_text
from cl3d.ops.allocator import tune_allocator
from cl3d.report.style import curve_style
from cl3d.report.text_tables import markdown

AXES = {
    "classes": (5, 10, 20, 40),
    "ppc": (1, 2, 4, 8),
    "points": (256, 512, 1024, 2048),
    "batch": (8, 16, 32, 64),
}
BASE = {"classes": 5, "ppc": 1, "points": 512, "batch": 16}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=["dm", "pcc"], choices=["dm", "pcc", "sadm"])
    parser.add_argument("--axes", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--out", type=Path, help="draw them: .png, .pdf or .svg")
    arguments = parser.parse_args()
    tune_allocator()
    torch.set_num_threads(1)
    found = {
        f"{case}, {axis}": grown(case, axis, arguments) for case in arguments.cases for axis in arguments.axes
    }
    lines = [
        [name, *(spread(seconds) for seconds in times.values()), f"{exponent(times):.2f}"]
        for name, times in found.items()
    ]
    print(markdown(["update, what grows", "1 x", "2 x", "4 x", "8 x", "exponent"], lines))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")
    if arguments.out:
        draw(arguments.out, found)


def grown(case: str, axis: str, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds at each size of one axis."""
    sides = {}
    for size in AXES[axis]:
        sizes = BASE | {axis: size}
        changed = replace(CASES[case].condenser, real_batch=sizes["batch"])
        workload = Workload(
            replace(CASES[case], condenser=changed, ppc=sizes["ppc"]),
            sizes["classes"],
            sizes["points"],
            arguments.device,
        )
        sides[str(size)] = workload.side("cl3d")
    for step in sides.values():
        step()  # warms up
    return in_turns(sides, arguments.rounds, arguments.device)


def exponent(times: dict[str, list[float]]) -> float:
    """Slope of the medians' logarithms against those of the sizes."""
    sizes = [math.log(int(size)) for size in times]
    medians = [math.log(statistics.median(seconds)) for seconds in times.values()]
    return float(np.polyfit(sizes, medians, 1)[0])


def draw(path: Path, found: dict[str, Any]) -> None:
    figure = Figure(figsize=(5.4, 4), dpi=130, layout="constrained")
    axes = figure.add_subplot()
    for index, (name, times) in enumerate(found.items()):
        factors = [int(size) / int(next(iter(times))) for size in times]
        medians = [statistics.median(seconds) for seconds in times.values()]
        axes.plot(factors, [m / medians[0] for m in medians], label=name, **curve_style(index))
    axes.plot([1, 8], [1, 8], color="0.7", linestyle=":", label="linear")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlabel("size")
    axes.set_ylabel("seconds of an update, against the smallest")
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
