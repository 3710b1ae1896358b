"""How far rounded products lead from exact ones: python benchmarks/precision.py [--device cuda].

Each objective's loss and its gradient by the synthetic points, in every precision of ``precision=``, relative
to float64 with the same network, clouds and points: the median over networks. And the time that it takes.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measuring import in_turns, ratio
from workload import SEED, classes_of

from cl3d.atomic import write_text
from cl3d.clouds import PointClouds
from cl3d.distill.chunks import Chunks
from cl3d.distill.matching import match
from cl3d.distill.objectives import DistributionMatching, GradientMatching, SortedFeatureMatching
from cl3d.models import Backbone, PointNet, pointnet_light
from cl3d.numerics import numerics
from cl3d.random import isolated
from cl3d.report.text_tables import markdown

CLASSES, REAL = 10, 16
CASES: dict[str, tuple[Any, Any]] = {
    "dm": (DistributionMatching(), PointNet),
    "pcc": (GradientMatching(), PointNet),
    "dd3d": (GradientMatching("row_cosine"), pointnet_light),
    "sadm": (SortedFeatureMatching(), PointNet),
}


def update(name: str, net: Backbone, clouds: PointClouds, device: str) -> tuple[float, torch.Tensor]:
    """Loss and gradient of the case, the first cloud of each class as the synthetic one."""
    each = [clouds[REAL * label : REAL * (label + 1)] for label in range(CLASSES)]
    now = clouds[::REAL]
    return match(CASES[name][0], net, each, now, Chunks("classes") if device == "cuda" else None)


def measure(name: str, points: int, networks: int, device: str) -> dict[str, dict[str, list[float]]]:
    """Deviations of losses and gradients, and seconds, by precision."""
    clouds = classes_of(CLASSES, REAL, points).to(device)
    precisions = ["float32", *(["tf32"] if device == "cuda" else []), "bfloat16"]
    found: dict[str, dict[str, list[float]]] = {p: {"loss": [], "gradient": [], "s": []} for p in precisions}
    for seed in range(SEED, SEED + networks):
        with isolated(seed, "precision"):
            net = CASES[name][1](CLASSES).eval().to(device)
        exact = update(name, copy.deepcopy(net).double(), clouds.with_points(clouds.points.double()), device)
        for precision in precisions:
            with numerics(precision):
                loss, gradient = update(name, net, clouds, device)
                again = partial(update, name, net, clouds, device)
                found[precision]["s"] += in_turns({"": again}, 1, device)[""]
            found[precision]["loss"].append(abs(loss - exact[0]) / abs(exact[0]))
            found[precision]["gradient"].append(float((gradient - exact[1]).norm() / exact[1].norm()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3, help="networks, each drawn anew")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found, rows = {}, []
    for name in arguments.cases:
        found[name] = measure(name, arguments.points, arguments.rounds, arguments.device)
        exact = found[name]["float32"]["s"]
        for precision, values in found[name].items():
            off = [f"{statistics.median(values[what]):.1e}" for what in ("loss", "gradient")]
            rows.append([f"{name}, {precision}", *off, ratio(exact, values["s"])])
    heads = ["update", "loss off by", "gradient off by", "float32's time / this one's"]
    print(markdown(heads, rows))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
