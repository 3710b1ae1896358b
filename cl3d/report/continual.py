"""How a continual run is told on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cl3d.continual import ContinualRun, Results
from cl3d.continual.estimate import expected_seconds
from cl3d.continual.steps import Step
from cl3d.report.device import device_rows
from cl3d.report.terminal import Terminal
from cl3d.report.units import duration, size


def show_header(terminal: Terminal, run: ContinualRun, folder: Path) -> None:
    """What is going to run, and what it will cost."""
    data, sizes = run.dataset, run.classes_per_step
    own_order = run.order_seed not in (None, run.seed)
    split = f"{sizes[0]}" if len(set(sizes)) == 1 else ", ".join(map(str, sizes))
    rows = [
        (
            "data",
            f"{data.name}: {len(data.train):,} train and {len(data.test):,} test clouds of "
            f"{data.train.num_points:,} points, {data.num_classes} classes",
        ),
        ("steps", f"{len(sizes)}, classes per step: {split}"),
        ("strategy", run.strategy.name),
    ]
    if run.segments:
        rows.append(("task", f"part segmentation, {data.num_parts} parts; figures are instance mIoUs"))
    if run.strategy.needs_buffer and run.condenser is not None:
        clouds, nbytes = planned_memory(run)
        named = f"{run.condenser.name}, {run.budget.in_words}"
        about = "" if run.plan().exact else "about "
        rows.append(("memory", f"{named}: {about}{clouds:,} clouds, up to {size(nbytes)}"))
        if run.memory_of is not None:
            rows.append(("condensed by", f"{run.memory_of}; times and peak memory of condensing are its"))
        if run.joint_condensed:
            rows.append(
                ("LEAKS", "the memory is condensed from all classes before the first step: a control")
            )
        if run.classifier != "softmax":
            rows.append(("classifier", run.classifier))
    rows += [
        *device_rows(run.device),
        ("seed", str(run.seed) + (f", class order {run.order_seed}" if own_order else "")),
        ("folder", str(folder)),
        ("expected", f"about {duration(expected_seconds(run))}"),
    ]
    terminal.header(rows)


def planned_memory(run: ContinualRun) -> tuple[int, int]:
    """How many decoded clouds there are at most after a step, and the bytes of the budget."""
    plan = run.plan()
    nbytes = run.budget.total or sum(sum(shares) for shares, _ in plan.steps())
    return max(plan.clouds()), nbytes


def show_step(terminal: Terminal, run: ContinualRun, step: Step) -> None:
    """One line for a finished step."""
    names = ", ".join(run.dataset.class_names[label] for label in step.classes)
    memory = f", memory {step.memory_clouds} clouds" if step.memory_clouds else ""
    figure = f" {step.figure}" if run.segments else ""
    terminal.say(
        f"step {step.step + 1}: [bold]{100 * step.headline:.1f} %[/bold]{figure} on {len(step.seen)} "
        f"classes seen{memory}, {duration(sum(step.seconds.values()))} (new: {names})"
    )


def show_summary(terminal: Terminal, results: Results, folder: Path) -> None:
    """The table at the end."""
    summary, kind = results.to_dict(), results.kind
    rows = [
        [
            str(step.step + 1),
            str(len(step.seen)),
            f"{100 * step.headline:.1f}",
            f"{step.memory_bytes:,}",
            *(f"{step.seconds[name]:.1f}" for name in ("condense", "train", "test")),
        ]
        for step in results.steps
    ]
    leaks = ", with a memory that LEAKS (joint_condensed)" if results.settings["leaks"] else ""
    columns = ["step", "classes", f"{kind.figure} %", "memory bytes", "condense s", "train s", "test s"]
    terminal.table(f"After each step, on all classes seen so far{leaks}", columns, rows)
    forgetting = summary["forgetting"]
    terminal.header(
        [
            (f"final {kind.figure}", f"{100 * summary[f'final_{kind.key}']:.1f} %"),
            (f"average {kind.figure}", f"{100 * summary[f'average_{kind.key}']:.1f} %"),
            *_other_figures(summary),
            (
                "forgetting",
                f"{100 * forgetting['max_minus_last']:.1f} points (max - last), "
                f"{100 * forgetting['first_minus_last']:.1f} (first - last)",
            ),
            ("transfer", _transfer(summary)),
            ("memory", size(summary["memory_bytes"])),
            ("time", duration(results.seconds()["total"])),
            ("peak memory", size(results.peak_memory()["highest"])),
            (
                "written",
                f"{folder}: results.json, seconds.json, peak_memory.json, {results.matrix_file}, config.yaml"
                + (", memory/" if summary["memory_bytes"] else ""),
            ),
        ]
    )


def _other_figures(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """What results tell beside the figure that is looked at first, after the last step."""
    if "final_class_miou" not in summary:
        told = summary["task_incremental_accuracy_per_step"][-1]
        return [("task-incremental", f"{100 * told:.1f} %, each cloud's step being told")]
    told = {
        "final class mIoU": summary["final_class_miou"],
        "final accuracy": summary["final_accuracy"],
        "among seen parts": summary["seen_parts_instance_miou_per_step"][-1],
    }
    notes = {
        "final accuracy": " of points",
        "among seen parts": " instance mIoU, the parts of all classes seen to choose from",
    }
    return [(name, f"{100 * value:.1f} %{notes.get(name, '')}") for name, value in told.items()]


def _transfer(summary: dict[str, Any]) -> str:
    forward, backward = summary["forward_transfer"], 100 * summary["backward_transfer"]
    ahead = "" if forward is None else f", {100 * forward:.1f} forward"
    return f"{backward:.1f} points backward{ahead}"
