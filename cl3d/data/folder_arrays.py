"""A user's own clouds as arrays in one file, .npz or HDF5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cl3d.clouds import PointClouds
from cl3d.data.array_files import Array, Arrays, described, open_arrays
from cl3d.data.folder_parts import PARTS, OwnParts, own_parts
from cl3d.data.source import Source, SourceFile
from cl3d.data.splits import chosen_for_test, share_of_class
from cl3d.data.usable import check_usable
from cl3d.errors import InputError

ENDINGS = (".npz", ".h5", ".hdf5")
SPLITS = ("train", "test")
POINTS, LABELS = ("points", "data"), ("labels", "label")


def arrays_source(path: Path, test_fraction: float, split_seed: int, up: str) -> Source:
    """The clouds of one file; labels and names are read at once, points when asked for.

    Args:
        path: of the file.
        test_fraction, split_seed, up: see :func:`cl3d.data.folder.folder`.

    Raises:
        InputError: naming the file, if it cannot be read, lacks an array, or labels, split or names
            have another shape or dtype, or do not fit together.
    """
    arrays = open_arrays(path)
    prefixed = _are_prefixed(arrays)
    prefixes = [f"{split}_" if prefixed else "" for split in SPLITS]
    points = [_needed(arrays, POINTS, prefix) for prefix in prefixes]
    labels = [_labels(arrays, _needed(arrays, LABELS, prefix)) for prefix in prefixes]
    names = _names(arrays, np.concatenate(labels))
    if prefixed:
        rows = [np.arange(len(of_split)) for of_split in labels]
    elif "split" in arrays.keys:
        rows = _stored_split(arrays, len(labels[0]))
    else:
        rows = _drawn_split(path, labels[0], names, test_fraction, split_seed)
    _check_both(path, [of_split[chosen] for of_split, chosen in zip(labels, rows, strict=True)], names)
    named = own_parts(arrays, names)
    parts = [None if named is None else (named, _needed(arrays, PARTS, prefix)) for prefix in prefixes]
    train, test = (
        [SourceFile(path, partial(_read, arrays, key, of_split, chosen, up, of_points))]
        for key, of_split, chosen, of_points in zip(points, labels, rows, parts, strict=True)
    )
    return Source(
        name=path.stem,
        folder=path,  # what is prepared stands beside the file
        train=train,
        test=test,
        class_names=tuple(names),
        part_names=() if named is None else named.names,
        key="folder",
        per_file=False,  # both splits come from one file
        options={"test_fraction": test_fraction, "split_seed": split_seed, "up": up},
    )


def _are_prefixed(arrays: Arrays) -> bool:
    """Whether the arrays of train and test are apart; not only some may be."""
    apart = [f"{split}_{key}" for split in SPLITS for key in POINTS if f"{split}_{key}" in arrays.keys]
    together = [key for key in (*POINTS, *LABELS, "split") if key in arrays.keys]
    if apart and together:
        raise InputError(
            f"{arrays.path} has {', '.join(apart)} beside {', '.join(together)}: "
            "give all with train_ and test_ before their name, or none"
        )
    return bool(apart)


def _needed(arrays: Arrays, choices: Sequence[str], prefix: str) -> str:
    """The array that has one of the names; just one must be there."""
    wanted = [f"{prefix}{choice}" for choice in choices]
    there = [key for key in wanted if key in arrays.keys]
    if len(there) != 1:
        found = ", ".join(arrays.keys) or "none"
        raise InputError(f"{arrays.path} has the arrays {found[:200]}; give {' or '.join(wanted)}")
    return there[0]


def _labels(arrays: Arrays, key: str) -> Array:
    stored = arrays.array(key)
    if stored.dtype.kind not in "iu" or stored.ndim < 1 or stored.shape[1:] not in ((), (1,)):
        raise InputError(
            f"{arrays.path}: {key!r} is {described(stored)}; give integers of shape (clouds,) or (clouds, 1)"
        )
    if len(stored) == 0:
        raise InputError(f"{arrays.path}: {key!r} is empty: give at least one cloud")
    return stored.astype(np.int64).reshape(-1)


def _names(arrays: Arrays, labels: Array) -> list[str]:
    """The names of the classes; the labels themselves where there are none."""
    low, high = int(labels.min()), int(labels.max())
    if "class_names" in arrays.keys:
        stored = arrays.array("class_names")
        if stored.dtype.kind != "U" or stored.ndim != 1:
            raise InputError(
                f"{arrays.path}: 'class_names' is {described(stored)}; give texts of shape (classes,)"
            )
        names = [str(name) for name in stored]
    elif low == 0 and len(np.unique(labels)) == high + 1:
        names = [str(label) for label in range(high + 1)]
    else:
        raise InputError(
            f"{arrays.path} has labels from {low} to {high} with some left out: "
            "number the classes 0, 1, ... without gaps, or give class_names"
        )
    if low < 0 or high >= len(names):
        raise InputError(
            f"{arrays.path} has labels from {low} to {high}, but {len(names)} class_names: "
            "labels index the names, from 0"
        )
    return names


def _stored_split(arrays: Arrays, count: int) -> list[Array]:
    """The positions of the train clouds and those of the test clouds."""
    stored = arrays.array("split")
    if stored.dtype.kind != "U" or stored.shape != (count,):
        raise InputError(
            f"{arrays.path}: 'split' is {described(stored)}; "
            f"give the texts train and test in shape ({count},)"
        )
    wrong = (~np.isin(stored, SPLITS)).nonzero()[0]
    if len(wrong):
        raise InputError(
            f"{arrays.path}: 'split' of cloud {wrong[0]} is {str(stored[wrong[0]])[:20]!r}; "
            "give train or test"
        )
    return [(stored == split).nonzero()[0] for split in SPLITS]


def _drawn_split(
    path: Path, labels: Array, names: Sequence[str], test_fraction: float, split_seed: int
) -> list[Array]:
    in_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members, name = (labels == label).nonzero()[0], names[label]
        count = share_of_class(len(members), test_fraction, f"{path}: class {name}")
        keys = [f"{name}/{position}" for position in range(len(members))]
        chosen = chosen_for_test(keys, count, split_seed)
        in_test[members] = [key in chosen for key in keys]
    return [(~in_test).nonzero()[0], in_test.nonzero()[0]]


def _check_both(path: Path, labels: Sequence[Array], names: Sequence[str]) -> None:
    train, test = (set(of_split.tolist()) for of_split in labels)
    for label, name in enumerate(names):
        missing = [split for split, held in zip(SPLITS, (train, test), strict=True) if label not in held]
        if missing:
            without = " or ".join(missing)
            raise InputError(f"{path}: class {name} has no {without} clouds: give some, or leave it out")


def _read(
    arrays: Arrays, key: str, labels: Array, rows: Array, up: str, named: tuple[OwnParts, str] | None
) -> Iterator[PointClouds]:
    stored = arrays.array(key)
    wanted = (len(labels), *stored.shape[1:2], 3)
    if stored.dtype.kind != "f" or stored.ndim != 3 or stored.shape != wanted:
        raise InputError(
            f"{arrays.path}: {key!r} is {described(stored)}; "
            f"give floats of shape ({len(labels)}, points, 3), one cloud per label"
        )
    with np.errstate(all="ignore"):  # too large ones become infinite, and are refused
        points = torch.from_numpy(stored[rows].astype(np.float32))
    if up == "z":
        x, y, z = points.unbind(2)
        points = torch.stack((x, z, -y), dim=2)
    clouds, places = PointClouds(points, torch.from_numpy(labels[rows])), rows.tolist()  # as in the file
    check_usable(clouds, str(arrays.path), places)
    if named is not None:
        own, parts_key = named
        shape = len(labels), clouds.num_points
        clouds = replace(clouds, parts=own.read(arrays, parts_key, shape, places, clouds.labels))
    yield clouds
