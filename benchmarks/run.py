"""All measurements of speed: python benchmarks/run.py [--parts updates layers ...] [--device cuda] [--quick].

Runs one program after the other, keeps what they measured in ``docs/performance/`` as JSON and writes their
tables, and the figure of growth, to ``docs/performance.md``; a part that is not run keeps what it had. Give
the machine nothing else to do. With ``--quick`` everything is tried at small sizes, and nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from measuring import gemm_rate

from cl3d.atomic import write_text

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


@dataclass(frozen=True)
class Part:
    """One program at one size.

    Attributes:
        arguments: for a measurement.
        quick: for a trial.
        draws: whether it draws what it measured, with ``--out``.
    """

    title: str
    program: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    draws: bool = False


SMALL = ("--points", "128", "--rounds", "1")
PARTS = {
    "updates_10": Part("One update, 10 classes, 1,024 points", "updates.py", (), (*SMALL, "--classes", "2")),
    "updates_40": Part(
        "One update, 40 classes, 1,024 points",
        "updates.py",
        ("--classes", "40", "--rounds", "1", "--cases", "dm", "pcc", "dd3d", "sadm", "morphing"),
        (*SMALL, "--classes", "3", "--cases", "dm"),
    ),
    "evaluation": Part("Training on a set", "evaluation.py", (), (*SMALL, "--ppc", "1")),
    "layers": Part("Layers", "layers.py", (), (*SMALL, "--clouds", "4", "--norms", "batch")),
    "point_ops": Part("Point operations", "point_ops.py", (), (*SMALL, "--clouds", "2")),
    "models": Part("Backbones", "models.py", (), (*SMALL, "--models", "pointnet", "voxelnet")),
    "launches": Part("Operators", "launches.py", (), ("--classes", "2")),
    "precision": Part("Precision", "precision.py", (), (*SMALL, "--cases", "dm")),
    "growth": Part("Growth", "growth.py", (), ("--rounds", "1", "--cases", "dm", "--axes", "points"), True),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is written")
    arguments = parser.parse_args()
    for name in arguments.parts:
        part, kept = PARTS[name], DOCS / "performance" / f"{arguments.device}_{name}.json"
        settings = ["--device", arguments.device, *(part.quick if arguments.quick else part.arguments)]
        files = ["--json", str(kept), *(["--out", str(kept.with_suffix(".svg"))] if part.draws else [])]
        command = [sys.executable, str(HERE / part.program), *settings, *([] if arguments.quick else files)]
        print(f"{name}: {' '.join(command[1:])}", flush=True)
        table = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        print(table, flush=True)
        if not arguments.quick:
            told = {"title": part.title, "machine": machine(arguments.device), "table": table}
            told["command"] = " ".join(["python", f"benchmarks/{part.program}", *settings])
            write_text(kept.with_suffix(".table.json"), json.dumps(told, indent=1) + "\n")
    if not arguments.quick:
        write_text(DOCS / "performance.md", page())


def machine(device: str) -> str:
    """What was measured on."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    torch.set_num_threads(1)
    rate = gemm_rate(device) / 1e9
    name = names[0] if names else platform.processor()
    return f"{name}, one thread of {os.cpu_count()}: {rate:.0f} GFLOP/s in fp32, torch {torch.__version__}"


def page() -> str:
    """The page of all tables that are kept."""
    paths = sorted((DOCS / "performance").glob("*.table.json"))
    kept = [(path, json.loads(path.read_text())) for path in paths]
    order = [part.title for part in PARTS.values()]
    sections = [
        section(path, told) for path, told in sorted(kept, key=lambda one: order.index(one[1]["title"]))
    ]
    return "\n".join([(DOCS / "performance" / "head.md").read_text(), *sections, not_run()])


def not_run() -> str:
    """The parts that have not been measured, on either device."""
    lines = []
    for device, name in (("cpu", "CPU"), ("cuda", "CUDA")):
        there = {path.name for path in (DOCS / "performance").glob(f"{device}_*.table.json")}
        left = [part.title for key, part in PARTS.items() if f"{device}_{key}.table.json" not in there]
        if left:
            lines.append(f"- {name}: {'; '.join(left) if there else 'all of it'}.")
    return "\n".join(["## Not run", "", *lines, ""]) if lines else ""


def section(path: Path, told: dict[str, str]) -> str:
    """What one part tells: its command, the machine, its table and its figure, if it has drawn one."""
    table = told["table"].rstrip("\n")
    parts = [f"## {told['title']}", f"```bash\n{told['command']}\n```", f"{told['machine']}.", table]
    figure = path.with_name(path.name.replace(".table.json", ".svg"))
    if figure.exists():
        parts.append(f"![{told['title']}]({figure.relative_to(DOCS)})")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
