"""How condensing grows with processes: python benchmarks/scaling.py [--condenser dc] [--classes 10].

Condenses with one process and with two (gloo, under torchrun), counts what they send, and times how long a
gather of so many bytes takes. Prints one JSON object: the measurements, the model fitted to them, and what
the model expects of more processes. The model stands in ``docs/scaling.md``.

--latency (seconds) and --bandwidth (bytes a second) replace what is fitted, to ask about another network.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cl3d import distributed
from cl3d.atomic import write_text
from cl3d.distill import Budget, loop, presets, statistics
from cl3d.models import PointNet
from cl3d.peak_memory import PeakMemory
from cl3d.testing.condensers import blobs

SIZES = [1 << power for power in range(10, 25, 2)]
"""Bytes that each process gives in a gather."""

GATHERS, FIRST = 7, 2
"""Gathers of each size, of which the quickest counts; iterations that do not count."""

PROCESSES = (1, 2, 4, 8, 16, 64)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--condenser", default="dm")
    for name, default in (("classes", 10), ("ppc", 1), ("points", 256), ("iterations", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("latency", "bandwidth"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--measure", type=Path, help="of the processes that this starts")
    asked = parser.parse_args()
    if asked.measure:
        with distributed.processes():
            write_text(asked.measure, json.dumps(measure(asked)))
        return
    found = {count: in_processes(count) for count in (1, 2)}
    latency, bandwidth = fit(found[2]["gathers"])
    alone = found[1]
    model = {
        "match_seconds": alone["match_seconds"],
        "statistics_seconds": alone["statistics_seconds"],
        "rest_seconds": alone["step_seconds"] - alone["match_seconds"] - alone["statistics_seconds"],
        "latency_seconds": asked.latency or latency,
        "bytes_a_second": asked.bandwidth or bandwidth,
    }
    print(
        json.dumps(
            {"measured": found, "model": model, "expected": expected(model, found[2], asked)}, indent=1
        )
    )


def in_processes(count: int) -> dict[str, Any]:
    """The measurement of so many processes."""
    with tempfile.TemporaryDirectory() as folder:
        product = Path(folder) / "measured.json"
        launcher = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={count}",
        ]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [*launcher, __file__, *sys.argv[1:], f"--measure={product}"]
        subprocess.run(command, check=True, env=environment)
        found: dict[str, Any] = json.loads(product.read_text())
        return found


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds of the processor and bytes of one iteration in this process; seconds of gathers."""
    torch.set_num_threads(1)
    real = blobs(asked.points, 16, tuple(range(asked.classes)))
    condenser = getattr(presets, asked.condenser)()
    condenser = replace(
        condenser, iterations=asked.iterations + FIRST, real_batch=min(16, condenser.real_batch)
    )
    steps, matches, passes, sent = [], [], [], []
    loop.Loop._step = timed(loop.Loop._step, steps)  # type: ignore[method-assign]
    loop.match = timed(loop.match, matches)  # type: ignore[attr-defined]
    statistics._take_statistics = timed(statistics._take_statistics, passes)
    gather = torch.distributed.all_gather
    torch.distributed.all_gather = counted(gather, sent)
    peak = PeakMemory(torch.device("cpu"))
    synthetic = condenser(real, budget=Budget(ppc=asked.ppc), model=PointNet)
    torch.distributed.all_gather = gather
    return {
        "step_seconds": float(np.median(steps[FIRST:])),
        "match_seconds": float(np.median(matches[FIRST:])),
        "statistics_seconds": float(np.median(passes[FIRST:])) if passes else 0.0,
        "statistics_passes": math.ceil(
            asked.classes * condenser.statistics_batch / statistics.CLOUDS_AT_ONCE
        ),
        "bytes_received_a_step": sum(sent) // len(steps),
        "gathers_a_step": len(sent) / len(steps),
        "peak_bytes": peak.bytes(),
        "decoded_bytes": synthetic.decode().points.numel() * 4,
        "gathers": gathers() if distributed.world() > 1 else [],
    }


def gathers() -> list[tuple[int, float]]:
    """Bytes that a process receives, and the seconds of the quickest gather."""
    found = []
    for size in SIZES:
        block = torch.zeros(size, dtype=torch.uint8)
        blocks = [torch.empty_like(block) for _ in range(distributed.world())]
        times = []
        for _ in range(GATHERS):
            torch.distributed.barrier()
            start = time.perf_counter()
            torch.distributed.all_gather(blocks, block)
            times.append(time.perf_counter() - start)
        found.append((size * (distributed.world() - 1), min(times)))
    return found


def fit(measured: list[tuple[int, float]]) -> tuple[float, float]:
    """Latency and bandwidth: seconds = latency + bytes / bandwidth, least squares of the relative errors."""
    nbytes, seconds = np.array(measured).T
    terms = np.stack([np.ones_like(nbytes), nbytes], axis=1) / seconds[:, None]
    latency, each = np.linalg.lstsq(terms, np.ones_like(seconds), rcond=None)[0]
    return float(max(latency, 0.0)), float(1 / each)


def expected(
    model: dict[str, float], two: dict[str, Any], asked: argparse.Namespace
) -> list[dict[str, float]]:
    """The model's seconds of an iteration, how many times as fast, and that by process."""
    passes, table = two["statistics_passes"], []
    alone = model["rest_seconds"] + model["statistics_seconds"] + model["match_seconds"]
    for count in PROCESSES:
        match = model["match_seconds"] * math.ceil(asked.classes / count) / asked.classes
        taking = model["statistics_seconds"] * math.ceil(passes / count) / passes
        received = 2 * two["bytes_received_a_step"] * (count - 1) / count
        send = (
            two["gathers_a_step"] * model["latency_seconds"] * (count - 1)
            + received / model["bytes_a_second"]
        )
        seconds = model["rest_seconds"] + taking + match + send * (count > 1)
        speedup = alone / seconds
        table.append(
            {
                "processes": count,
                "seconds": round(seconds, 5),
                "speedup": round(speedup, 2),
                "efficiency": round(speedup / count, 3),
            }
        )
    return table


def timed(call: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        result = call(*args, **kwargs)
        seconds.append(time.process_time() - start)
        return result

    return wrapped


def counted(call: Callable[..., Any], nbytes: list[int]) -> Callable[..., Any]:
    """A gather that notes what it receives of other processes."""

    def wrapped(blocks: list[torch.Tensor], block: torch.Tensor) -> Any:
        nbytes.append((len(blocks) - 1) * block.numel() * block.element_size())
        return call(blocks, block)

    return wrapped


if __name__ == "__main__":
    main()
