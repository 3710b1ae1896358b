"""What the main job costs and where its time goes: python benchmarks/main_job.py [KEY=VALUE ...].

Runs ``scripts/cl_run.py`` with its defaults (and the overrides given) in a process of its own, and
prints one JSON object: wall-clock seconds from start to exit, peak resident memory, the seconds of each
activity as the run counts them, and the share of the wall-clock time that is not training of the step
networks.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

SCRIPT = Path(__file__).parents[1] / "scripts" / "cl_run.py"


def main(overrides: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, str(SCRIPT), f"folder={folder}/run", *overrides]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        run = Path(folder) / "run"
        results, times = (json.loads((run / name).read_text()) for name in ("results.json", "seconds.json"))
    steps = times["per_step"]
    spent = {name: round(sum(step[name] for step in steps), 1) for name in ("condense", "train", "test")}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    report = {
        "command": " ".join(["python", "scripts/cl_run.py", *overrides]),
        "cpus": os.cpu_count(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "peak_memory_mib": round(peak),
        **{f"{name}_seconds": value for name, value in spent.items()},
        "share_not_training": round(1 - spent["train"] / seconds, 3),
        "final_accuracy": results["final_accuracy"],
        "average_accuracy": results["average_accuracy"],
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
