"""Dataset: what every loader returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cl3d.clouds import PointClouds, hash_clouds
from cl3d.data.duplicates import Duplicates
from cl3d.data.usable import check_usable
from cl3d.errors import InputError
from cl3d.random import generator


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named data set: train and test clouds over the same classes.

    Attributes:
        name: as on the command line, e.g. ``"modelnet40"``.
        train, test: normalised clouds; labels index ``class_names``.
        class_names: one per class, in label order.
        part_names: one per part, in the order of the part labels; empty where there are none.
        duplicates: exact copies among the clouds as stored; None where nobody has looked.
        prepared: the folder of the prepared copy that the clouds come from, where there is one.

    Raises:
        InputError: if clouds are not finite, or a label has no name.
    """

    name: str
    train: PointClouds
    test: PointClouds
    class_names: tuple[str, ...]
    part_names: tuple[str, ...] = ()
    duplicates: Duplicates | None = None
    prepared: Path | None = None

    def __post_init__(self) -> None:
        for split, clouds in (("train", self.train), ("test", self.test)):
            check_usable(clouds, f"{self.name} ({split})")
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

    @property
    def num_parts(self) -> int:
        """Number of parts of all classes together; 0 where parts are unknown."""
        return len(self.part_names)

    @property
    def class_parts(self) -> tuple[tuple[int, ...], ...]:
        """The parts of each class: those that are named after it, as ``Chair/leg``."""
        return tuple(
            tuple(part for part, name in enumerate(self.part_names) if name.startswith(f"{owner}/"))
            for owner in self.class_names
        )

    def fingerprint(self) -> str:
        """A hash of all coordinates, labels and names; parts have their own, :meth:`parts_fingerprint`."""
        digest = hashlib.blake2b("\x1f".join((self.name, *self.class_names)).encode(), digest_size=16)
        for clouds in (self.train, self.test):
            hash_clouds(digest, clouds.without_parts())
        return digest.hexdigest()

    def parts_fingerprint(self) -> str | None:
        """A hash of the part of each point and of their names; None where there are no parts."""
        digest = hashlib.blake2b("\x1f".join(self.part_names).encode(), digest_size=16)
        for parts in (self.train.parts, self.test.parts):
            if parts is None:
                return None
            digest.update(parts.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def hold_out(self, fraction: float, seed: int = 0) -> Dataset:
        """The training clouds alone, some of them as test set: for choosing settings honestly.

        Args:
            fraction: of each class's training clouds, in (0, 1); at least one is held out and one kept.
            seed: which clouds; apart from a run's seed, so that all runs are tested on the same.

        Raises:
            InputError: if the fraction is out of range, or a class has fewer than two clouds.
        """
        if not (isinstance(fraction, int | float) and 0 < fraction < 1):
            raise InputError(f"holdout={fraction} is no fraction of the training clouds: give one in (0, 1)")
        held = torch.zeros(len(self.train), dtype=torch.bool)
        for label in self.train.classes:
            members = (self.train.labels.cpu() == label).nonzero().squeeze(1)
            if len(members) < 2:
                raise InputError(
                    f"holdout={fraction}: class {label} ({self.class_names[label]}) of {self.name} has one "
                    "training cloud, which cannot be both kept and held out: leave holdout out"
                )
            count = min(max(1, round(fraction * len(members))), len(members) - 1)
            order = torch.randperm(len(members), generator=generator(seed, "hold-out", label))
            held[members[order[:count]]] = True
        return replace(
            self,
            name=f"{self.name}, {fraction:g} held out",
            train=self.train[~held],
            test=self.train[held],
            duplicates=None,
        )
