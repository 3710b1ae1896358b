"""How the benchmarks measure: sides take turns in a process, and peak memory is that of one of its own."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

MIB = 1 << 20


def now(device: str) -> float:
    """Seconds: on the CPU of this process, so that other work counts little; on CUDA of the clock."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def peak(device: str) -> int:
    """Most bytes that this process ever held."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def peak_within_memory(build: Callable[[], Callable[[], object]], device: str) -> int | None:
    """Most bytes that two calls of what is built add; None where memory does not hold them."""
    if device == "cpu":  # an allocation that would have the kernel kill the process fails instead
        resource.setrlimit(resource.RLIMIT_DATA, (available(), resource.RLIM_INFINITY))
    step = build()
    before = peak(device)
    try:
        step(), step()
    except RuntimeError as error:  # CUDA's own is one, too
        if "out of memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
        return None
    return peak(device) - before


def available() -> int:
    """Bytes of the machine that are free, but for a tenth."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return int(kib) * 1024 * 9 // 10


def in_turns(sides: Mapping[str, Callable[[], object]], rounds: int, device: str) -> dict[str, list[float]]:
    """Seconds of each side, round after round; whoever calls has let them warm up."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            start = now(device)
            run()
            times[name].append(now(device) - start)
    return times


def operators(run: Callable[[], object]) -> int:
    """How many operators a call launches, those of backward passes among them."""
    with _Count() as count:
        run()
    return count.operators


class _Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        return func(*args, **(kwargs or {}))


def gemm_rate(device: str, size: int = 1024, rounds: int = 7) -> float:
    """The machine's best rate of a square fp32 product, in flops per second."""
    one = torch.ones(size, size, device=device)
    times = in_turns({"gemm": lambda: one @ one}, rounds, device)["gemm"]
    return float(2 * size**3 / min(times))


def apart(program: str, arguments: Sequence[str], tuned: bool = True) -> Any:
    """What a program prints as JSON, run in a process of its own with or without a tuned allocator."""
    environment = {**os.environ, "CL3D_MALLOC": str(int(tuned)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, program, *arguments]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(result.stdout)


def both_allocators(program: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The same with glibc's allocator as it is, and tuned."""
    return {name: apart(program, arguments, tuned) for name, tuned in (("default", False), ("tuned", True))}


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median and, in brackets, the least and the most."""
    low, middle, high = (f"{v:.{digits}f}" for v in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def ratio(slow: Sequence[float], fast: Sequence[float]) -> str:
    """How many times as long the one takes: median of the rounds' ratios and their spread."""
    return spread([one / other for one, other in zip(slow, fast, strict=True)], 1)


def against(side: str, times: Mapping[str, Sequence[float]]) -> str:
    """How many times as long as the library a side takes, if memory held it."""
    return ratio(times[side], times["cl3d"]) if side in times else "does not fit"


def against_others(usual: Mapping[str, Sequence[float]], tuned: Mapping[str, Sequence[float]]) -> list[str]:
    """The library's seconds, and how many times as long the others take, with each allocator."""
    others = (against("unfused", usual), against("authors", usual), against("authors", tuned))
    return [spread(tuned["cl3d"]), *others]
