"""shapes40: 40 classes of procedural shapes, made on the spot."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pooch
import torch

from cl3d.clouds import PointClouds, normalize
from cl3d.data.cache import Cache, cached, places
from cl3d.data.dataset import Dataset
from cl3d.data.procedural.catalog import CLASSES, PART_NAMES
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.surface import Floats, Ints, rotation
from cl3d.data.settings import Settings
from cl3d.errors import InputError
from cl3d.random import fold, generator
from cl3d.rotations import random_rotations, rotate

JITTER = 0.01
"""Standard deviation of the sampling noise, in units of the cloud's radius."""

STRETCH = 0.18
"""Standard deviation of the logarithm of the scale along each axis."""

TILT_DEGREES = 5.0
"""Standard deviation of the tilt about the x and the z axis."""

AZIMUTH_DEGREES = 15.0
"""Standard deviation of the turn about the upright axis."""


def shapes40(
    num_points: int = 1024,
    train_per_class: int = 60,
    test_per_class: int = 20,
    seed: int = 0,
    num_classes: int = 40,
    rotation: str | None = None,
    cache: Cache = False,
) -> Dataset:
    """Furniture, vehicles, vessels, plants, tools, ...: random assemblies of labelled parts.

    Each cloud depends only on ``seed``, its split, class and position in that class, and on
    ``num_points``: fewer classes or fewer clouds are the first of the same.

    Args:
        num_points: points per cloud, at least 2.
        train_per_class, test_per_class: clouds per class, at least 1.
        seed: any integer; other seeds draw other shapes of the same classes.
        num_classes: how many of the 40 classes, the first ones, 1 to 40.
        rotation: None: upright, with a small turn about each axis; ``"y"`` or ``"so3"``: also turned about
            the up axis, or in any way, by an angle of each cloud's own.
        cache: where the clouds are kept, False for nowhere; see :func:`cl3d.data.cache.places`.

    Returns:
        Float32 clouds, centred and in the unit sphere, y up, sorted by class, with int64 parts.
        Part labels index the part names, ``"class/part"``, and are the same for any number of
        classes.

    Raises:
        InputError: if an argument is out of range.
    """
    _check("num_points", num_points, 2, None)
    _check("train_per_class", train_per_class, 1, None)
    _check("test_per_class", test_per_class, 1, None)
    _check("num_classes", num_classes, 1, len(CLASSES))
    _check("seed", seed, None, None)
    Settings(rotation=rotation)  # which refuses any other
    kinds = CLASSES[:num_classes]

    def make(folder: Path | None) -> Dataset:
        return Dataset(
            name="shapes40",
            train=_split("train", train_per_class, num_points, seed, num_classes, rotation),
            test=_split("test", test_per_class, num_points, seed, num_classes, rotation),
            class_names=tuple(kind.name for kind in kinds),
            part_names=PART_NAMES[: sum(len(kind.parts) for kind in kinds)],
        )

    if cache is False:
        return make(None)
    settings = [num_points, train_per_class, test_per_class, seed, num_classes, rotation]
    key = {"settings": settings, "made_by": _source_digest()}
    return cached("shapes40", key, make, places(Path(pooch.os_cache("cl3d")), cache)[:1])


def _source_digest() -> str:
    """Of the code that makes the clouds: what another version kept is not taken for this one's."""
    digest = hashlib.blake2b(digest_size=16)
    package = Path(__file__).parents[1]
    made_by = [package / "clouds.py", package / "rotations.py", package / "random.py", Path(__file__)]
    for path in (*made_by, *sorted((Path(__file__).parent / "procedural").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _split(
    split: str, per_class: int, num_points: int, seed: int, num_classes: int, rotation: str | None
) -> PointClouds:
    points = torch.empty(num_classes * per_class, num_points, 3)
    parts = torch.empty(num_classes * per_class, num_points, dtype=torch.int64)
    for label in range(num_classes):
        for index in range(per_class):
            own_seed = fold(seed, "shapes40", split, CLASSES[label].name, index)
            made, part = _cloud(label, num_points, own_seed)
            # one at a time, so that a cloud's rounding does not depend on how many there are
            cloud = normalize(torch.from_numpy(made)).float()
            points[label * per_class + index] = (
                cloud if rotation is None else _turned(cloud, rotation, own_seed)
            )
            parts[label * per_class + index] = torch.from_numpy(part)
    return PointClouds(points, torch.arange(num_classes).repeat_interleave(per_class), parts)


def _cloud(label: int, num_points: int, seed: int) -> tuple[Floats, Ints]:
    """One cloud, (num_points, 3) with its part labels (num_points,); not yet normalised."""
    draw = Draw(seed)
    assembly = CLASSES[label].make(draw)
    x, y, z = np.exp(STRETCH * draw.normal(3)).tolist()
    pose = _pose(draw)
    points, piece = assembly.sample(num_points, draw, (x, y, z))
    points -= points.mean(axis=0)
    radius = np.sqrt((points**2).sum(axis=1).max())
    points = points / radius @ pose.T + JITTER * draw.normal(num_points, 3)
    labels = np.array([_PART_LABELS[label][part] for part, _ in assembly.pieces], dtype=np.int64)
    return points, labels[piece]


def _turned(points: torch.Tensor, how: str, seed: int) -> torch.Tensor:
    turn = random_rotations(1, generator(seed, "rotation"), "y" if how == "y" else None)
    return rotate(points.unsqueeze(0), turn)[0]


def _pose(draw: Draw) -> Floats:
    azimuth, about_x, about_z = draw.normal(3).tolist()
    upright = rotation("y", AZIMUTH_DEGREES * azimuth)
    pose: Floats = rotation("x", TILT_DEGREES * about_x) @ rotation("z", TILT_DEGREES * about_z) @ upright
    return pose


def _part_labels() -> list[dict[str, int]]:
    label_of = {name: label for label, name in enumerate(PART_NAMES)}
    return [{part: label_of[f"{kind.name}/{part}"] for part in kind.parts} for kind in CLASSES]


_PART_LABELS = _part_labels()


def _check(name: str, value: int, low: int | None, high: int | None) -> None:
    allowed = (
        "any integer" if low is None else f"an integer from {low}" + ("" if high is None else f" to {high}")
    )
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"{name} is {value!r}, but it must be {allowed}: give such a number")
