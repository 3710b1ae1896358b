"""Dataset: what every loader returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cl3d.clouds import PointClouds, check_clouds
from cl3d.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named data set: train and test clouds over the same classes.

    Attributes:
        name: as on the command line, e.g. ``"modelnet40"``.
        train, test: normalised clouds; labels index ``class_names``.
        class_names: one per class, in label order.
        part_names: one per part, in the order of the part labels; empty where there are none.

    Raises:
        InputError: if clouds are not finite, or a label has no name.
    """

    name: str
    train: PointClouds
    test: PointClouds
    class_names: tuple[str, ...]
    part_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for split, clouds in (("train", self.train), ("test", self.test)):
            check_clouds(clouds, f"{self.name} ({split})")
            low, high = int(clouds.labels.min()), int(clouds.labels.max())
            if low < 0 or high >= self.num_classes:
                raise InputError(
                    f"{self.name} ({split}) has labels {low} to {high}, "
                    f"but {self.num_classes} class names: labels index the names, from 0"
                )

    @property
    def num_classes(self) -> int:
        """Number of classes, those without clouds included."""
        return len(self.class_names)

    def fingerprint(self) -> str:
        """A hash of all coordinates, labels and names: equal if and only if the data is."""
        digest = hashlib.blake2b("\x1f".join((self.name, *self.class_names)).encode(), digest_size=16)
        for clouds in (self.train, self.test):
            digest.update(clouds.points.cpu().contiguous().numpy().tobytes())
            digest.update(clouds.labels.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()
