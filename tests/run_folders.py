"""Folders as runs leave them, made without running anything."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from cl3d.clouds import PointClouds, normalize
from cl3d.distill import AnchorSet, GeneratedSet, PointSet, ShapeSet, SyntheticSet, save, with_soft_labels
from cl3d.distill.initial import save_initial
from cl3d.distill.parameterizations.generated import drawn
from cl3d.models import PointNet
from cl3d.random import generator, isolated
from cl3d.report.pages.write import write_report

KINDS = ("points", "anchors", "generator", "shape_model", "soft_labels")


def spread(clouds: int, points: int, seed: int = 0) -> torch.Tensor:
    """Clouds that fill no sphere evenly, normalised: (clouds, points, 3)."""
    made = torch.randn(clouds, points, 3, generator=generator(seed, "test-clouds"))
    return normalize(made * torch.tensor([1.0, 0.6, 0.3]))


def a_set(kind: str, classes: list[int], per_class: int = 2, points: int = 32) -> SyntheticSet:
    """A set of that kind."""
    labels = torch.tensor(classes).repeat_interleave(per_class)
    if kind == "anchors":
        count = len(labels)
        anchors = spread(3 * count, points, classes[0]).reshape(count, 3, points, 3)
        logits = torch.randn(count, 4, 2, generator=generator(0, "logits"))
        return AnchorSet(anchors, logits, labels)
    if kind == "generator":
        made: GeneratedSet = drawn(labels, 8, 10.0, points, 0)
        return made
    if kind == "shape_model":
        modes = [2] * len(classes)
        return ShapeSet(spread(3 * len(classes), points), modes, labels, 0)
    stored = PointSet(PointClouds(spread(len(labels), points, classes[0]), labels))
    if kind == "points":
        return stored
    with isolated(0, "net"):
        net = PointNet(1 + max(classes), channels=(4, 8), head=(4,))
    return with_soft_labels(stored, net)


def results(steps: int, classes: int, done: int | None = None, **settings: object) -> dict[str, object]:
    """The content of results.json, of as many finished steps."""
    done = steps if done is None else done
    sizes = [classes // steps + (step < classes % steps) for step in range(steps)]
    matrix = [[0.9 - 0.05 * (i - j) if j <= i else None for j in range(steps)] for i in range(done)]
    accuracy = [0.9 - 0.04 * i for i in range(done)]
    return {
        "schema_version": 3,
        "cl3d_version": "0.1.0",
        "status": "finished" if done == steps else "interrupted",
        "settings": {
            "dataset": "modelnet40",
            "data_fingerprint": "f" * 32,
            "num_points": 1024,
            "model": "PointNet()",
            "strategy": "scratch",
            "strategy_settings": "Scratch()",
            "buffer": "pcc",
            "buffer_settings": "pcc()",
            "budget": "ppc=5",
            "leaks": False,
            "classifier": "softmax",
            "class_order": list(range(classes)),
            "classes_per_step": sizes,
            "class_names": [f"class_{label}" for label in range(classes)],
            "seed": 0,
            "order_seed": 0,
            "device": "cpu",
        }
        | settings,
        "final_accuracy": accuracy[-1] if done else None,
        "average_accuracy": sum(accuracy) / done if done else None,
        "accuracy_per_step": accuracy,
        "accuracy_matrix": matrix,
        "class_accuracy_per_step": [
            {str(label): 0.5 for label in range(sum(sizes[: i + 1]))} for i in range(done)
        ],
        "forgetting": {"max_minus_last": 0.125, "first_minus_last": 0.0625},
        "backward_transfer": -0.0625,
        "forward_transfer": 0.03,
        "memory_bytes": 60000 * done,
        "memory_bytes_per_step": [60000 * (i + 1) for i in range(done)],
        "memory_clouds_per_step": [5 * sum(sizes[: i + 1]) for i in range(done)],
        "memory_files_per_step": [
            [f"step_{j + 1:02d}.safetensors" for j in range(i + 1)] for i in range(done)
        ],
        "condensing_per_step": [{"moved_mean": 0.02} for _ in range(done)],
    }


def leave(folder: Path, content: dict[str, object]) -> Path:
    """Writes the files of a run with these results, but its memory."""
    folder.mkdir(parents=True, exist_ok=True)
    done = len(content["accuracy_per_step"])  # type: ignore[arg-type]
    steps = [{"condense": 2.0 + i, "train": 1.0, "test": 0.5} for i in range(done)]
    peaks = [{"condense": (200 + i) << 20, "train": 300 << 20, "test": 0} for i in range(done)]
    told = {
        "results": content,
        "seconds": {"total": sum(sum(step.values()) for step in steps), "per_step": steps},
        "peak_memory": {"highest": 300 << 20, "per_step": peaks},
        "environment": {"command": "python scripts/cl_run.py", "started": "2026", "versions": {"cl3d": "0"}},
    }
    for name, values in told.items():
        (folder / f"{name}.json").write_text(json.dumps(values))
    (folder / "config.yaml").write_text("script: cl_run\nseed: 0\n")
    return folder


def remember(folder: Path, sets: list[SyntheticSet], initial: bool = False) -> None:
    """Writes a memory, a set for each step, and what each started from."""
    for step, synthetic in enumerate(sets, 1):
        synthetic.info |= {"moved_mean": 0.02, "moved_max": 0.1} if initial else {}
        save(synthetic, folder / "memory" / f"step_{step:02d}.safetensors")
        if initial:
            clouds = synthetic.decode()
            before = normalize(clouds.points.detach() + 0.02 * torch.randn(clouds.points.shape))
            parts = (before[:, :, 1] > 0).long() + 7
            save_initial(
                PointClouds(before, clouds.labels, parts), folder / "initial" / f"step_{step:02d}.safetensors"
            )


def whole_run(
    folder: Path, kind: str = "points", steps: int = 3, initial: bool = False, **settings: object
) -> Path:
    """A finished run of two classes each step."""
    leave(folder, results(steps, 2 * steps, **settings))
    remember(folder, [a_set(kind, [2 * step, 2 * step + 1]) for step in range(steps)], initial)
    return folder


def modelnet40_run(folder: Path) -> Path:
    """As of ModelNet40 in 10 steps: 200 stored clouds of 1,024 points, and what they started from."""
    leave(folder, results(10, 40))
    sets = [a_set("points", list(range(4 * step, 4 * step + 4)), 5, 1024) for step in range(10)]
    remember(folder, sets, initial=True)
    return folder


def of(*folders: Path, **settings: object) -> str:
    """The page of these runs."""
    return write_report(list(folders), **settings).read_text()


def viewer_of(page: str) -> dict:
    """What the viewer of a page is given."""
    return json.loads(page.split("data-clouds>")[1].split("</script>")[0])
