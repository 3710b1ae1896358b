"""What each backbone costs: python benchmarks/models.py [--models pointnet dgcnn ...] [--json FILE].

For each choice of ``model=``: milliseconds per cloud of 1,024 points, forward and backward in train mode, and
the peak memory that this adds to a process; on the CPU (time of one core, so that other work on the machine
counts little) and on CUDA where there is a device (time of the clock). Every measurement is a process of its
own, and rounds over all models alternate. Prints a Markdown table for each device: the median over rounds
and, in brackets, the least and the most.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from measuring import MIB, apart, now, peak, spread
from torch import nn
from workload import SEED, ellipsoids

from cl3d.atomic import write_text
from cl3d.config_paths import CONFIGS
from cl3d.ops.allocator import tune_allocator
from cl3d.random import generator, isolated
from cl3d.report.text_tables import markdown
from cl3d.settings import build

CLASSES = 40
STEPS = 2


def main() -> None:
    found = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))
    names = [name for name in found if not name.endswith("_segmentation")]  # these do not take clouds alone
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=names, choices=names)
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--clouds", type=int, default=4, help="in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), help="both unless given")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.device, arguments.clouds, arguments.points)))
        return
    devices = [arguments.device] if arguments.device else ["cpu", *["cuda"] * torch.cuda.is_available()]
    report: dict[str, Any] = {"torch": torch.__version__, "python": platform.python_version()}
    report |= {"points": arguments.points, "clouds_in_a_batch": arguments.clouds}
    for device in devices:
        rounds = [
            {name: in_own_process(name, device, arguments) for name in arguments.models}
            for _ in range(arguments.rounds)
        ]
        report[device] = {name: [found[name] for found in rounds] for name in arguments.models}
        what = torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread"
        print(f"{what}, {arguments.points:,} points, batches of {arguments.clouds}\n")
        print(table(report[device]), flush=True)
    if arguments.json:
        write_text(arguments.json, json.dumps(report, indent=1) + "\n")


def in_own_process(name: str, device: str, arguments: argparse.Namespace) -> dict[str, float]:
    """:func:`measure` in a process of its own, so that its peak memory is nobody else's."""
    settings = ["--device", device, "--points", str(arguments.points), "--clouds", str(arguments.clouds)]
    return apart(__file__, ["--one", name, *settings])  # type: ignore[no-any-return]


def measure(name: str, device: str, clouds: int, points: int) -> dict[str, float]:
    """Seconds per cloud, bytes above those of the process before, and parameters of one model."""
    tune_allocator()
    torch.set_num_threads(1)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        model = build(compose("evaluate", [f"model={name}"]).model)
    x = ellipsoids(clouds, points).to(device)
    y = torch.randint(CLASSES, (clouds,), generator=generator(SEED, "labels")).to(device)
    before = peak(device)
    with isolated(0, "benchmark"):
        net = model(CLASSES).to(device).train()
        steps = [step(net, x, y, device) for _ in range(1 + STEPS)][1:]  # the first warms up
    forward, backward = (statistics.median(times) for times in zip(*steps, strict=True))
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "forward": forward / clouds,
        "backward": backward / clouds,
        "bytes": peak(device) - before,
    }


def step(net: nn.Module, x: torch.Tensor, y: torch.Tensor, device: str) -> tuple[float, float]:
    times = [now(device)]
    net.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(net(x), y)
    times.append(now(device))
    loss.backward()
    times.append(now(device))
    return times[1] - times[0], times[2] - times[1]


def table(measured: dict[str, list[dict[str, float]]]) -> str:
    rows = []
    for name, rounds in measured.items():
        times = [spread([1000 * found[key] for found in rounds], 1) for key in ("forward", "backward")]
        memory = statistics.median(found["bytes"] for found in rounds) / MIB
        rows.append([f"`{name}`", f"{rounds[0]['parameters'] / 1e6:.2f} M", *times, f"{memory:.0f}"])
    return markdown(
        ["model", "parameters", "forward, ms per cloud", "backward, ms per cloud", "peak MiB"], rows
    )


if __name__ == "__main__":
    main()
