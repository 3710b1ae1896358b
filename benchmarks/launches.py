"""Operators of one update, class after class and together: python benchmarks/launches.py [--json FILE].

What a GPU is made to start is what such small work costs there. Counts do not hang on the size of clouds, so
small ones are used, and the CPU, which here searches and sorts as CUDA does: by operators, not by NumPy.
Seconds on a GPU are measured by ``updates.py --device cuda``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from measuring import operators
from workload import SEED, classes_of

from cl3d.atomic import write_text
from cl3d.distill.chunks import Chunks
from cl3d.distill.matching import match
from cl3d.distill.objectives import (
    DistributionMatching,
    GradientMatching,
    SortedFeatureMatching,
    sorted_features,
)
from cl3d.distill.stacked import fit_stacked
from cl3d.distill.training import Training, fit
from cl3d.models import Backbone, PointNet, pointnet_light
from cl3d.ops import pooled_linear
from cl3d.random import isolated
from cl3d.report.text_tables import markdown

POINTS, REAL, SEEDS = 64, 4, 10

OBJECTIVES: dict[str, tuple[Any, Callable[[int], Backbone]]] = {
    "dm": (DistributionMatching(), PointNet),
    "pcc": (GradientMatching(), PointNet),
    "dd3d": (GradientMatching("row_cosine"), pointnet_light),
    "sadm": (SortedFeatureMatching(), PointNet),
}


@contextmanager
def as_on_cuda() -> Iterator[None]:
    """Replaces what the CPU does by NumPy, where no operator is counted, or cloud by cloud."""
    with (
        mock.patch.object(pooled_linear, "_search_numpy", pooled_linear._search_chunks),
        mock.patch.object(sorted_features, "sort_rows", lambda x: x.sort(dim=-1, stable=True).values),
    ):
        yield


def drawn(build: Callable[[int], Backbone], classes: int, seed: int = SEED) -> Backbone:
    """A fresh network in eval mode."""
    with isolated(seed, "launches"):
        return build(classes).eval()


def update(name: str, classes: int) -> dict[str, int]:
    """Operators of the objective and its gradient over all classes."""
    objective, build = OBJECTIVES[name]
    net, real = drawn(build, classes), classes_of(classes, REAL, POINTS)
    each = [real[REAL * label : REAL * (label + 1)] for label in range(classes)]
    now = classes_of(classes, 1, POINTS)
    return {
        "alone": operators(lambda: match(objective, net, each, now)),
        "together": operators(lambda: match(objective, net, each, now, Chunks("classes"))),
    }


def training(classes: int) -> dict[str, int]:
    """Operators of one epoch of evaluation networks."""
    data, schedule = classes_of(classes, 1, POINTS), Training(epochs=1)
    build = partial(drawn, PointNet, classes)

    def one_after_the_other() -> None:
        for seed in range(SEEDS):
            fit(build(seed), data, schedule, seed)

    alone = operators(one_after_the_other)
    nets = [build(seed) for seed in range(SEEDS)]
    together = operators(lambda: fit_stacked(nets, [data] * SEEDS, schedule, range(SEEDS)))
    return {"alone": alone, "together": together}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, nargs="+", default=[10, 40])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="counted on the CPU always")
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, dict[str, int]] = {}
    with as_on_cuda():
        for classes in arguments.classes:
            for name in OBJECTIVES:
                found[f"update, {name}, {classes} classes"] = update(name, classes)
            found[f"an epoch of {SEEDS} networks, {classes} classes"] = training(classes)
    rows = [
        [name, f"{n['alone']:,}", f"{n['together']:,}", f"{n['alone'] / n['together']:.1f}"]
        for name, n in found.items()
    ]
    print(markdown(["work", "operators, one after the other", "together", "ratio"], rows))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
