"""Point operations and sorts against plain ways: python benchmarks/point_ops.py [--json FILE].

Milliseconds per cloud (or row), and how many times as long the plain way takes: the median over rounds in
which both take turns, the least and the most in brackets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import authors
import torch
from measuring import in_turns, ratio, spread
from scipy.optimize import linear_sum_assignment
from workload import SEED, ellipsoids

from cl3d.atomic import write_text
from cl3d.ops.allocator import tune_allocator
from cl3d.ops.assignment import align
from cl3d.ops.fps import farthest_points, fps_partition
from cl3d.ops.knn import nearest_neighbours
from cl3d.ops.sorting import sort_rows
from cl3d.ops.uniformity import uniformity
from cl3d.random import generator
from cl3d.report.text_tables import markdown

Pair = tuple[Callable[[], object], Callable[[], object], int]
"""The library's way, the plain one, and for how many clouds."""


def pairs(points: int, clouds: int, device: str) -> dict[str, Pair]:
    """What is compared."""
    some = ellipsoids(clouds, points).to(device)
    half = points // 2
    rows = torch.randn(clouds, 1024, points, generator=generator(SEED, "rows")).to(device)
    graph = rows.clone().requires_grad_()
    one, other = some[0, : min(points, 256)], some[1, : min(points, 256)]
    return {
        f"farthest points, {points:,} to {half:,}": (
            lambda: farthest_points(some, half),
            lambda: authors.farthest(some, half),
            clouds,
        ),
        f"partition, 4 of {points // 4:,}": (
            lambda: fps_partition(some, 4, points // 4),
            lambda: _partition(some, points // 4),
            clouds,
        ),
        "20 nearest neighbours": (
            lambda: nearest_neighbours(some, 20),
            lambda: torch.cdist(some, some).topk(21, largest=False),
            clouds,
        ),
        "uniformity": (lambda: uniformity(some), lambda: authors.unevenness(some), clouds),
        f"assignment, {len(one)}": (
            lambda: align(other, one),
            lambda: linear_sum_assignment(
                ((one.unsqueeze(1) - other.unsqueeze(0)) ** 2).sum(-1).sqrt().cpu()
            ),
            1,
        ),
        "sort 1,024 channels": (lambda: sort_rows(rows), lambda: rows.sort(dim=-1), clouds),
        "sort with a gradient": (
            lambda: sort_rows(graph).sum().backward(),
            lambda: graph.sort(dim=-1).values.sum().backward(),
            clouds,
        ),
    }


def _partition(points: torch.Tensor, size: int) -> None:
    rest = points
    for _ in range(points.shape[1] // size):
        picks = authors.farthest(rest, size)
        left = torch.ones_like(rest[..., 0], dtype=torch.bool).scatter(1, picks, False)
        rest = rest[left].view(len(rest), -1, 3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--clouds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    arguments = parser.parse_args()
    tune_allocator()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for name, (mine, plain, clouds) in pairs(arguments.points, arguments.clouds, arguments.device).items():
        mine(), plain()  # warms up
        times = in_turns({"cl3d": mine, "plain": plain}, arguments.rounds, arguments.device)
        found[name] = times | {"clouds": clouds}
    lines = [
        [
            name,
            spread([1000 * seconds / times["clouds"] for seconds in times["cl3d"]]),
            ratio(times["plain"], times["cl3d"]),
        ]
        for name, times in found.items()
    ]
    print(markdown(["operation", "ms per cloud", "plain / cl3d"], lines))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
