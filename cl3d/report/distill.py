"""How distilling and evaluating are told, on the terminal and in files."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from cl3d.atomic import write_text
from cl3d.data import Dataset
from cl3d.distill import Budget, Condenser, Evaluation, SyntheticSet
from cl3d.distill.networks import BuildModel, trial
from cl3d.distill.part_evaluation import PartEvaluation
from cl3d.distill.views import for_net
from cl3d.errors import InputError, Note
from cl3d.peak_memory import PeakMemory
from cl3d.report.device import device_rows
from cl3d.report.terminal import Terminal
from cl3d.report.units import size


def provenance(config: DictConfig, dataset: Dataset) -> dict[str, Any]:
    """What a set's file says of its origin: condenser, data, seed."""
    resolved = OmegaConf.to_container(config, resolve=True)
    assert isinstance(resolved, dict)
    kept = {key: resolved[key] for key in ("condenser", "model", "data", "ppc", "ratio", "budget", "seed")}
    kept["resolution"] = resolved.get("resolution")
    for part, places in (
        ("data", ("root", "cache")),
        ("initializer", ("folder",)),
        ("surrogates", ("folder",)),
    ):
        settings = kept["data"] if part == "data" else kept["condenser"].get(part, {})
        for place in places:  # where things lay says nothing about the set
            settings.pop(place, None)
    return kept | {
        "dataset": dataset.name,
        "data_fingerprint": dataset.fingerprint(),
        "class_names": list(dataset.class_names),
    }


def check_fits(synthetic: SyntheticSet, dataset: Dataset, model: BuildModel | None = None) -> None:
    """Refuses a set with classes that the data set lacks; notes where it was made from other data.

    Args:
        model: of networks to be trained on it; where these segment, a set without parts is refused, too.
    """
    if model is not None:
        for_net(trial(model), synthetic.decode(), "the set")
    largest = int(synthetic.labels.max())
    if largest >= dataset.num_classes:
        raise InputError(
            f"the set has class {largest}, {dataset.name} has classes 0 to {dataset.num_classes - 1}: "
            "give the dataset= that it was made from"
        )
    made_from = synthetic.info.get("provenance", {})
    if made_from and made_from.get("data_fingerprint") != dataset.fingerprint():
        warnings.warn(
            f"the set was made from {made_from.get('dataset')} with other settings than this {dataset.name}",
            Note,
            stacklevel=2,
        )


def show_header(
    terminal: Terminal,
    dataset: Dataset,
    condenser: Condenser,
    budget: Budget,
    device: torch.device,
    folder: Path,
) -> None:
    """What is going to be condensed."""
    terminal.header(
        [
            (
                "data",
                f"{dataset.name}: {len(dataset.train):,} train clouds of {dataset.train.num_points:,} points",
            ),
            ("condenser", f"{condenser.name}, {condenser.iterations} iterations, {budget.in_words}"),
            *device_rows(device),
            ("folder", str(folder)),
        ]
    )


def show_set(terminal: Terminal, synthetic: SyntheticSet, path: Path) -> None:
    """What was made, and how far it moved: unchanged and exploded sets both look like results."""
    rows = [
        ("clouds", f"{len(synthetic):,} of {len(synthetic.clouds_per_class)} classes"),
        ("bytes", f"{size(synthetic.nbytes)} of {synthetic.info['budget_nbytes']:,} allowed"),
    ]
    if synthetic.stored_clouds != len(synthetic):
        rows.append(("stored", f"{synthetic.stored_clouds:,} clouds, from which the others follow"))
    if "moved_mean" in synthetic.info:
        info = synthetic.info
        rows.append(("loss", f"{info['loss_first']:.4g} (first tenth), {info['loss_last']:.4g} (last tenth)"))
        rows.append(("moved", f"{info['moved_mean']:.3f} mean, {info['moved_max']:.3f} max, in cloud radii"))
    terminal.header([*rows, ("written", str(path))])


def write_cost(
    path: Path, seconds: float | None, device: torch.device, synthetic: SyntheticSet | None = None
) -> dict[str, Any]:
    """Writes what a process cost as JSON: seconds if known, peak memory; bytes and clouds of its set.

    Returns:
        What was written.
    """
    content: dict[str, Any] = {}
    if synthetic is not None:
        content = {
            "nbytes": synthetic.nbytes,
            "stored_clouds": synthetic.stored_clouds,
            "decoded_clouds": len(synthetic),
            "num_points": synthetic.decode().num_points,
            "moved_mean": synthetic.info.get("moved_mean"),
        }
    content |= {"seconds": seconds, "peak_bytes": PeakMemory(device).bytes()}
    write_text(path, json.dumps(content, indent=1) + "\n")
    return content


def write_evaluation(path: Path, evaluation: Evaluation, dataset: Dataset) -> None:
    """Writes an evaluation as JSON."""
    content = {
        "dataset": dataset.name,
        "accuracies": evaluation.accuracies,
        "mean": evaluation.mean,
        "std": evaluation.std,
        "best_epoch_selected_on_test": list(evaluation.best_epoch),
        "per_class": {dataset.class_names[label]: a for label, a in evaluation.per_class.items()},
    }
    if isinstance(evaluation, PartEvaluation):  # mean, std, best epoch and classes are then of IoUs
        content |= {"instance_miou": evaluation.instance_mious, "class_miou": evaluation.class_mious}
    write_text(path, json.dumps(content, indent=1) + "\n")


def show_evaluation(terminal: Terminal, evaluation: Evaluation, dataset: Dataset, folder: Path) -> None:
    """The figure, and the classes that are worst."""
    worst = sorted(evaluation.per_class.items(), key=lambda item: item[1])[:5]
    terminal.header(
        [
            (f"test {evaluation.figure}", f"[bold]{evaluation}[/bold]"),
            (
                "worst classes",
                ", ".join(f"{dataset.class_names[label]} {100 * a:.0f} %" for label, a in worst),
            ),
            ("written", f"{folder}: evaluation.json, config.yaml"),
        ]
    )
