"""The pooled and the shared linear layer against dense ones: python benchmarks/layers.py [--json FILE].

128 to 1,024 channels over the points of a batch, as before a PointNet's pool, with each norm: seconds of the
forward pass, with the backward pass, and with a backward pass through that; medians over rounds in which both
take turns, and the least and the most in brackets. Peak memory is that of all three above the process before.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measuring import MIB, apart, both_allocators, in_turns, peak, ratio, spread
from torch import Tensor, nn
from workload import SEED

from cl3d.atomic import write_text
from cl3d.ops import naive
from cl3d.ops.allocator import tune_allocator
from cl3d.ops.pooled_linear import pooled_linear
from cl3d.ops.shared_linear import shared_linear
from cl3d.random import generator
from cl3d.report.text_tables import markdown

INPUTS, OUTPUTS = 128, 1024
NORMS: dict[str, Callable[[], nn.Module | None]] = {
    "none": lambda: None,
    "batch": lambda: nn.BatchNorm1d(OUTPUTS),
    "batch, frozen": lambda: nn.BatchNorm1d(OUTPUTS).eval(),
    "instance": lambda: nn.InstanceNorm1d(OUTPUTS),
    "group": lambda: nn.GroupNorm(32, OUTPUTS),
}
LAYERS: dict[str, dict[str, Callable[..., Tensor]]] = {
    "pooled": {"cl3d": partial(pooled_linear, relu=True), "dense": partial(naive.pooled_linear, relu=True)},
    "shared": {"cl3d": shared_linear, "dense": naive.shared_linear},
}
ORDERS = ("forward", "and backward", "and backward twice")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", nargs="+", default=list(LAYERS), choices=list(LAYERS))
    parser.add_argument("--norms", nargs="+", default=list(NORMS), choices=list(NORMS))
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--clouds", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", choices=("times", "cl3d", "dense"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments)))
        return
    found = {
        f"{layer}, {norm}": measured(layer, norm, arguments)
        for layer in arguments.layers
        for norm in arguments.norms
    }
    print(table(found))
    if arguments.json:
        write_text(arguments.json, json.dumps(found, indent=1) + "\n")


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: the times of both sides, or the peak memory of one."""
    tune_allocator()
    torch.set_num_threads(1)
    (layer,), (norm,), device = arguments.layers, arguments.norms, arguments.device
    runs = {
        side: passes(run, NORMS[norm](), arguments.clouds, arguments.points, device)
        for side, run in LAYERS[layer].items()
    }
    if arguments.one == "times":
        for run in runs.values():
            run(2)
        return {
            order: in_turns({side: partial(run, k) for side, run in runs.items()}, arguments.rounds, device)
            for k, order in enumerate(ORDERS)
        }
    before = peak(device)
    runs[arguments.one](2)
    return {"bytes": peak(device) - before}


def passes(
    layer: Callable[..., Tensor], norm: nn.Module | None, clouds: int, points: int, device: str
) -> Callable[[int], None]:
    """Runs a layer, with as many backward passes."""
    draws = generator(SEED, "layers")
    shapes = ((clouds, points, INPUTS), (OUTPUTS, INPUTS))
    x, weight = (torch.randn(shape, generator=draws).to(device).requires_grad_() for shape in shapes)
    norm = None if norm is None else norm.to(device)

    def run(backward: int) -> None:
        with torch.set_grad_enabled(backward > 0):
            value = layer(x, weight, None, norm).square().sum()
        if backward == 1:
            torch.autograd.grad(value, (x, weight))
        elif backward == 2:
            first = torch.autograd.grad(value, (weight,), create_graph=True)[0]
            torch.autograd.grad(first.square().sum(), (x, weight))

    return run


def measured(layer: str, norm: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """All of one layer, each measurement in a process of its own."""
    own = ["--layers", layer, "--norms", norm, "--device", arguments.device]
    own += ["--points", str(arguments.points), "--clouds", str(arguments.clouds)]
    own += ["--rounds", str(arguments.rounds)]
    memory = {side: apart(__file__, [*own, "--one", side])["bytes"] for side in LAYERS[layer]}
    return both_allocators(__file__, [*own, "--one", "times"]) | {"bytes": memory}


def table(found: dict[str, Any]) -> str:
    head = ["layer", "ms, all passes", *(f"dense / cl3d, {order}" for order in ORDERS)]
    head += ["all, allocators tuned", "peak MiB, cl3d and dense"]
    return markdown(head, [line(name, one) for name, one in found.items()])


def line(name: str, found: dict[str, Any]) -> list[str]:
    usual, tuned, memory = found["default"], found["tuned"][ORDERS[-1]], found["bytes"]
    return [
        name,
        spread([1000 * seconds for seconds in tuned["cl3d"]], 0),
        *(ratio(usual[order]["dense"], usual[order]["cl3d"]) for order in ORDERS),
        ratio(tuned["dense"], tuned["cl3d"]),
        " and ".join(f"{memory[side] / MIB:,.0f}" for side in ("cl3d", "dense")),
    ]


if __name__ == "__main__":
    main()
