"""Training evaluation networks: python benchmarks/evaluation.py [--json FILE].

Networks trained on small sets, by the library, by the library with unfused networks, and as authors do:
unfused networks, clouds through a ``DataLoader``. Prints seconds of one epoch and ratios: the median over
rounds in which all take turns, the least and the most in brackets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import authors
import torch
from measuring import against_others, both_allocators, in_turns
from torch.utils.data import TensorDataset
from workload import SEED, classes_of

from cl3d.atomic import write_text
from cl3d.distill import fit
from cl3d.distill.optimizers import Adam
from cl3d.distill.training import Training
from cl3d.models import PointNet, pointnet_light
from cl3d.ops.allocator import tune_allocator
from cl3d.random import isolated
from cl3d.report.text_tables import markdown

MODELS: dict[str, Callable[..., Any]] = {"pointnet": PointNet, "pointnet_light": pointnet_light}
CLASSES = 10
SIDES = ("cl3d", "unfused", "authors")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--ppc", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments)))
        return
    found = {
        f"{model}, {ppc} per class": measured(model, ppc, arguments)
        for model in arguments.models
        for ppc in arguments.ppc
    }
    head = ["network, clouds", "seconds of an epoch", "unfused / cl3d", "authors / cl3d"]
    print(markdown([*head, "the same, allocators tuned"], [line(*item) for item in found.items()]))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")


def one(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """In a process of its own: seconds of an epoch on each side."""
    tune_allocator()
    torch.set_num_threads(1)
    (model,), (ppc,) = arguments.models, arguments.ppc
    epochs = {side: epoch(side, MODELS[model], ppc, arguments) for side in SIDES}
    for run in epochs.values():
        run()  # warms up
    return in_turns(epochs, arguments.rounds, arguments.device)


def epoch(
    side: str, model: Callable[..., Any], ppc: int, arguments: argparse.Namespace
) -> Callable[[], None]:
    """One more epoch of a network, each time it is called."""
    clouds = classes_of(CLASSES, ppc, arguments.points).to(torch.device(arguments.device))
    with isolated(SEED, "evaluation"):
        net = model(CLASSES, fused=side == "cl3d").to(arguments.device)
    if side == "authors":
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=5e-4)
        dataset = TensorDataset(clouds.points, clouds.labels)
        return lambda: authors.train(net, dataset, 1, arguments.batch, optimizer)
    training = Training(epochs=1, batch_size=arguments.batch, optimizer=Adam(lr=1e-3, weight_decay=5e-4))
    return lambda: fit(net, clouds, training, SEED)


def measured(model: str, ppc: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Times with glibc's allocator as it is and tuned, each in a process of its own."""
    own = ["--models", model, "--ppc", str(ppc), "--points", str(arguments.points)]
    own += ["--batch", str(arguments.batch), "--rounds", str(arguments.rounds), "--device", arguments.device]
    return both_allocators(__file__, [*own, "--one"])


def line(name: str, found: dict[str, Any]) -> list[str]:
    usual, tuned = found["default"], found["tuned"]
    return [
        name,
        *against_others(usual, tuned),
    ]


if __name__ == "__main__":
    main()
