"""One update of each method: python benchmarks/updates.py [--cases dm pcc ...] [--classes 10] [--json FILE].

Three sides take turns on the same weights, clouds and draws: the library; the library with unfused networks;
and the authors' formulation (``benchmarks/authors.py``). Prints seconds and ratios (medians over rounds, the
least and the most in brackets) with glibc's allocator as it is and tuned, on both sides alike; how far the
first losses are apart; peak memory above that of the process before; operators; and two shares of the
machine's best rate of a product: in an update as a whole, if it formed the product of the widest layer with
all points and nothing else (the floor), and in the search for the winners, where it does so. A side that the
machine's memory does not hold is left out. With ``--json`` each case is kept once it is measured, and the
same command goes on after the last.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from measuring import (
    MIB,
    against_others,
    apart,
    both_allocators,
    gemm_rate,
    in_turns,
    now,
    operators,
    peak_within_memory,
)
from update_cases import CASES, SIDES, Workload

from cl3d.atomic import write_text
from cl3d.ops import pooled_linear
from cl3d.ops.allocator import tune_allocator
from cl3d.report.text_tables import markdown


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--classes", type=int, default=10, help="10 as ModelNet10, 40 as ModelNet40")
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", choices=("times", *SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments)))
        return
    report: dict[str, Any] = {"torch": torch.__version__, "python": platform.python_version()}
    report |= {name: getattr(arguments, name) for name in ("device", "classes", "points", "rounds")}
    partial = arguments.json and arguments.json.with_suffix(".partial.json")
    report["cases"] = begun(partial, report)
    for name in arguments.cases:
        if name not in report["cases"]:
            report["cases"][name] = measured(name, arguments)
            if partial:
                write_text(partial, json.dumps(report, indent=1) + "\n")
    print(table({name: report["cases"][name] for name in arguments.cases}))
    if partial:
        write_text(arguments.json, json.dumps(report, indent=1) + "\n")
        partial.unlink()


def begun(partial: Path | None, report: dict[str, Any]) -> dict[str, Any]:
    """The cases that were measured before the same command was broken off."""
    if partial is None or not partial.exists():
        return {}
    kept: dict[str, Any] = json.loads(partial.read_text())
    cases: dict[str, Any] = kept.pop("cases")
    return cases if kept == report else {}


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: the times of the sides, or the peak memory of one."""
    tune_allocator()
    torch.set_num_threads(1)
    (name,) = arguments.cases
    case, device = CASES[name], arguments.device
    workload = Workload(case, case.classes or arguments.classes, arguments.points, device)
    if arguments.one != "times":
        return {"bytes": peak_within_memory(lambda: workload.side(arguments.one), device)}
    sides = {side: workload.side(side) for side in arguments.sides}
    losses = {side: step() for side, step in sides.items()}  # the first warms up
    times = in_turns(sides, arguments.rounds, device)
    counts = {side: operators(step) for side, step in sides.items()}
    return {
        "classes": workload.classes,
        "losses": losses,
        "seconds": times,
        "operators": counts,
        "searching": searching(sides["cl3d"], arguments.rounds, device),
        "floor": workload.floor,
        "gemm": gemm_rate(device),
    }


def searching(step: Callable[[], float], rounds: int, device: str) -> float:
    """Seconds of an update in which the library looks for winners among all points; the least of some."""
    spent, search = [0.0], pooled_linear._search

    def timed(*given: Any) -> Any:
        start = now(device)
        found = search(*given)
        spent[-1] += now(device) - start
        return found

    with patch.object(pooled_linear, "_search", timed):
        for _ in range(rounds):
            step()
            spent.append(0.0)
    return min(spent[:-1])


def measured(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """All of one case, each measurement in a process of its own."""
    sizes = ["--classes", str(arguments.classes), "--points", str(arguments.points)]
    own = ["--cases", name, *sizes, "--rounds", str(arguments.rounds), "--device", arguments.device]
    memory = {side: apart(__file__, [*own, "--one", side])["bytes"] for side in SIDES}
    held = [side for side, used in memory.items() if used is not None]
    return both_allocators(__file__, [*own, "--one", "times", "--sides", *held]) | {"bytes": memory}


def table(cases: dict[str, Any]) -> str:
    head = ["update", "classes", "seconds", "unfused / cl3d", "authors / cl3d", "the same, allocators tuned"]
    head += ["losses differ by", "peak MiB, cl3d and authors", "operators", "floor %", "search %"]
    return markdown(head, [line(name, found) for name, found in cases.items()])


def line(name: str, found: dict[str, Any]) -> list[str]:
    usual, tuned = found["default"]["seconds"], found["tuned"]["seconds"]
    losses, memory, counts = found["tuned"]["losses"], found["bytes"], found["tuned"]["operators"]
    floor, search = found["tuned"]["floor"] / found["tuned"]["gemm"], found["tuned"]["searching"]
    shown = [side for side in ("cl3d", "authors") if side in counts]
    return [
        name,
        str(found["tuned"]["classes"]),
        *against_others(usual, tuned),
        f"{abs(losses['cl3d'] / losses['authors'] - 1):.0e}" if "authors" in losses else "–",
        " and ".join(f"{memory[side] / MIB:,.0f}" for side in shown),
        " and ".join(f"{counts[side]:,}" for side in shown),
        f"{100 * floor / statistics.median(tuned['cl3d']):.0f}",
        f"{100 * floor / search:.0f}" if CASES[name].searched else "–",
    ]


if __name__ == "__main__":
    main()
