"""What ``test_processes.py`` lets one, two and three processes do; each leaves files, which must be equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from cl3d.atomic import write_text
from cl3d.distill import Budget, SyntheticSet, Training, evaluate, presets, save, statistics
from cl3d.distill.reservoir import Reservoir
from cl3d.models import PointNet, PointNetSegmentation
from cl3d.progress import Advance
from cl3d.testing.condensers import blobs, small

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
PARTS = partial(PointNetSegmentation, num_parts=6, channels=(5, 11), hidden=(7,), transforms=False)
CLASSES = (2, 5, 11, 13, 17)
PRESETS = sorted(set(presets.__all__) - {"PAPERS", "citation"})
ITERATIONS = 7


def condense(name: str, labels: tuple[int, ...] = CLASSES, **settings) -> SyntheticSet:
    """A small set by a preset, a few iterations long."""
    condenser = getattr(presets, name)()
    if not isinstance(condenser, Reservoir):
        condenser = small(condenser, iterations=ITERATIONS)
    ppc = 40 if name == "dd3d_paper" else 3
    return condenser(
        blobs(labels=labels, per_class=7), budget=Budget(ppc=ppc), model=SMALL, seed=3, **settings
    )


def everything(folder: str) -> None:
    """Each of the functions below, in a folder of its own."""
    for function in (condense_each, condense_few_classes, train_experts, evaluate_three, segment):
        function(Path(folder) / function.__name__)


def condense_each(folder: Path) -> None:
    """Every preset's set, batch statistics being taken in several passes."""
    at_once, statistics.CLOUDS_AT_ONCE = statistics.CLOUDS_AT_ONCE, 11
    for name in PRESETS:
        save(condense(name), folder / f"{name}.safetensors")
    statistics.CLOUDS_AT_ONCE = at_once


def condense_few_classes(folder: Path) -> None:
    """The first loss with fewer classes than processes; of morphing, which cannot share out a class, too."""
    for name in ("dm", "dc", "pcc", "morphing"):
        for classes in (1, 2):
            synthetic = condense(name, CLASSES[:classes])
            write_text(folder / f"{name}_{classes}", repr(synthetic.info["loss_first"]))


def train_experts(folder: Path) -> None:
    """Trajectories that are kept in files."""
    preset = presets.mtt()
    experts = replace(preset.surrogates, experts=3, span=1, training=Training(epochs=2), folder=folder)
    small(replace(preset, surrogates=experts))(blobs(), budget=Budget(ppc=2), model=SMALL)


def evaluate_three(folder: Path) -> None:
    """Three networks, tested after each epoch or in the end."""
    data, training = blobs(labels=(0, 1, 2)), Training(epochs=3)
    for best_epoch in (False, True):
        found = evaluate(
            data, data, model=SMALL, training=training, runs=3, device="cpu", best_epoch=best_epoch
        )
        write_text(folder / f"best_epoch_{best_epoch}", repr(found))


def segment(folder: Path) -> None:
    """Sets with parts, of two classes, and networks that learn them."""
    data = blobs(labels=CLASSES[:2], per_class=7)
    for name in ("dc", "dd3d", "morphing", "dm"):
        condenser = small(getattr(presets, name)(), iterations=ITERATIONS)
        save(condenser(data, budget=Budget(ppc=3), model=PARTS, seed=3), folder / f"{name}.safetensors")
    found = evaluate(data, data, model=PARTS, training=Training(epochs=2), runs=3, device="cpu")
    write_text(folder / "evaluation", repr(found))


def condense_until(iteration: str, folder: str) -> None:
    """Goes on with some condensations until they are interrupted, or through."""

    @contextmanager
    def progress(description: str, total: int, done: int = 0, each: str = "") -> Iterator[Advance]:
        count = done

        def advance(note: str = "", **figures: float) -> None:
            nonlocal count
            count += 1
            if description == "condensing" and count == int(iteration):
                raise KeyboardInterrupt

        yield advance

    for name in ("pcc", "dd3d", "mtt"):
        path = Path(folder) / name
        try:
            save(condense(name, progress=progress, checkpoint=path), path.with_suffix(".safetensors"))
        except KeyboardInterrupt:
            assert int(iteration) <= ITERATIONS
