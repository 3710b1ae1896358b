"""How long cl_run.py takes to its header: python benchmarks/start.py [REPEATS] [KEY=VALUE ...].

Starts ``scripts/cl_run.py`` with its defaults (and the overrides given) in a process of its own and stops
it when the header is printed, which the first training step follows. The first start, which may have to
compile bytecode and prepare data, is told apart. Prints one JSON object: wall-clock seconds and CPU seconds
(median and range of the warm starts). The goal is below 8 s.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

SCRIPT = Path(__file__).parents[1] / "scripts" / "cl_run.py"
LAST_LINE = "expected"
"""How the header's last line begins."""


def main(repeats: int, overrides: list[str]) -> None:
    starts = [start(overrides) for _ in range(repeats + 1)]
    first, warm = starts[0], starts[1:]
    report = {
        "command": " ".join(["python", "scripts/cl_run.py", *overrides]),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "first_seconds": first[0],
        "seconds": statistics.median(wall for wall, _ in warm),
        "seconds_range": [min(wall for wall, _ in warm), max(wall for wall, _ in warm)],
        "cpu_seconds": statistics.median(cpu for _, cpu in warm),
    }
    print(json.dumps(report, indent=1))


def start(overrides: list[str]) -> tuple[float, float]:
    """Wall-clock seconds to the header, and CPU seconds until the process has ended."""
    with tempfile.TemporaryDirectory() as folder:
        before, began = _cpu(), time.perf_counter()
        command = [sys.executable, "-u", str(SCRIPT), f"folder={folder}/run", *overrides]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(LAST_LINE):
                break
        seconds = time.perf_counter() - began
        ended = process.poll()
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        if ended is not None:
            sys.exit(f"no header: {said}")
        return round(seconds, 2), round(_cpu() - before, 2)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    count = sys.argv[1:2] if sys.argv[1:2] and sys.argv[1].isdecimal() else []
    main(int(count[0]) if count else 5, sys.argv[1 + len(count) :])
