"""What ``scripts/data.py`` does and shows: a data set's content, its files, its prepared copy."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.markup import escape

from cl3d.clouds import PointClouds
from cl3d.data import Dataset
from cl3d.data.duplicates import CopyCounter
from cl3d.errors import InputError
from cl3d.progress import Progress
from cl3d.report.gallery import class_panels, save_gallery
from cl3d.report.terminal import Terminal
from cl3d.report.units import size
from cl3d.settings import build

ACTIONS = ("info", "check", "prepare")


def progress() -> Progress:
    """Bars or lines of a terminal of their own; named in configs."""
    return Terminal().progress


def chosen_action(action: Any) -> str:
    """The action that a config names.

    Raises:
        InputError: if it is none.
    """
    if action not in ACTIONS:
        raise InputError(f"action={action}: give one of {', '.join(ACTIONS)}")
    return str(action)


def load_shown(terminal: Terminal, config: DictConfig) -> Dataset:
    """The data set that a config describes, its preparation shown on this terminal.

    Raises:
        InputError: if it cannot be loaded.
    """
    dataset = _loader(config)(progress=terminal.progress) if _reads_files(config) else build(config)
    assert isinstance(dataset, Dataset)
    return dataset


def load_checked(terminal: Terminal, config: DictConfig) -> None:
    """Reads every file of a data set, and prints a line for each that cannot be used.

    Raises:
        InputError: saying how many there are, or that the data set reads no files.
    """
    if not _reads_files(config):
        raise InputError(f"{config._target_} reads no files: give a dataset= that does")

    def tell(fault: str) -> None:
        terminal.say(escape(fault))

    dataset = _loader(config)(progress=terminal.progress, check=tell)
    terminal.say(f"{dataset.name}: all files can be used; {_counts(dataset)}")


def show_prepared(terminal: Terminal, dataset: Dataset) -> None:
    """Where the prepared clouds lie, and what they take."""
    if dataset.prepared is None:
        terminal.say(f"{dataset.name} is not kept on disk; {_counts(dataset)}")
        return
    files = [path.stat().st_size for path in dataset.prepared.iterdir()]
    where = escape(str(dataset.prepared))
    terminal.say(f"{dataset.name} is prepared in {where}: {size(sum(files))}; {_counts(dataset)}")


def show_info(terminal: Terminal, dataset: Dataset) -> None:
    """Clouds per class and split, points, extents and exact copies."""
    train, test = dataset.train, dataset.test
    copies = dataset.duplicates or CopyCounter.of(train.points, test.points).found
    dropped = ", dropped" if copies.dropped and copies.test_in_train else ""
    terminal.header(
        [
            ("data", f"{dataset.name}: {_counts(dataset)}"),
            ("points", f"{train.num_points} per cloud, up to {_radius(train, test):.3f} from the origin"),
            ("parts", f"{len(dataset.part_names)} named" if train.parts is not None else "none"),
            (
                "copies",
                f"{copies.test_in_train} test clouds stand in train{dropped}; "
                f"{copies.train} repeat others within train, {copies.test} within test",
            ),
            ("prepared", "no" if dataset.prepared is None else escape(str(dataset.prepared))),
        ]
    )
    rows = []
    for label, name in enumerate(dataset.class_names):
        both = [split.of_class(label) for split in (train, test)]
        rows.append([escape(name), *(f"{len(clouds):,}" for clouds in both), *_extent(both[0])])
    terminal.table("clouds, and the mean extent of train", ["class", "train", "test", "x", "y", "z"], rows)


def save_picture(terminal: Terminal, path: Path, dataset: Dataset, per_class: int, columns: int) -> None:
    """Draws the first training clouds of each class.

    Raises:
        InputError: if the file's ending is not known, or it cannot be written.
    """
    save_gallery(path, class_panels(dataset.train, dataset.class_names, per_class), columns)
    terminal.say(f"written: {escape(str(path))}")


def _reads_files(config: DictConfig) -> bool:
    return "root" in config


def _loader(config: DictConfig) -> partial[Any]:
    settings = OmegaConf.to_container(config, resolve=True)
    assert isinstance(settings, dict)
    loader = build(settings | {"_partial_": True})
    assert isinstance(loader, partial)
    return loader


def _counts(dataset: Dataset) -> str:
    return (
        f"{len(dataset.train):,} train and {len(dataset.test):,} test clouds of {dataset.num_classes} classes"
    )


def _radius(*splits: PointClouds) -> float:
    return max(float(piece.norm(dim=2).max()) for clouds in splits for piece in clouds.points.split(512))


def _extent(clouds: PointClouds) -> list[str]:
    """The mean extent along each axis, or blanks where there are no clouds."""
    if len(clouds) == 0:
        return ["", "", ""]
    extents = (clouds.points.amax(dim=1) - clouds.points.amin(dim=1)).mean(dim=0)
    return [f"{extent:.2f}" for extent in extents.tolist()]
