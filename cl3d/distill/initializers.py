"""Initializers: which real clouds a set starts from. As condensers on their own they are coresets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.features import trained_features
from cl3d.distill.networks import Networks
from cl3d.distill.optimizers import Adam
from cl3d.distill.training import Training
from cl3d.progress import Progress, silent
from cl3d.random import generator

FEATURE_TRAINING = Training(epochs=12, batch_size=32, optimizer=Adam(lr=1e-3), schedule="cosine")
"""Enough to tell the classes apart on the data at hand; the feature space matters, not the last percent."""


class Initializer(Protocol):
    """Picks real clouds of each class."""

    @property
    def training(self) -> Training | None:
        """How the network is trained in whose feature space clouds are picked; None: none is needed."""

    def pick(
        self,
        clouds: PointClouds,
        counts: dict[int, int],
        networks: Networks,
        seed: int,
        progress: Progress = silent,
    ) -> Tensor:
        """Positions of the picked clouds: class by class, the most important first, none twice.

        What is picked of a class may depend on the others through features only, not through draws.

        Args:
            clouds: on any device; labels as in the data set.
            counts: how many to pick of each class, at most what the class has.
            networks: with an output for each class.

        Returns:
            int64 on the CPU.
        """


def class_members(clouds: PointClouds, counts: dict[int, int]) -> Iterator[tuple[int, int, Tensor]]:
    """Each class, how many are to be picked of it, and the positions of its clouds, int64 on the CPU."""
    labels = clouds.labels.cpu()
    for label, count in counts.items():
        yield label, count, (labels == label).nonzero().squeeze(1)


@dataclass(frozen=True)
class Random:
    """Clouds drawn uniformly, without repetition."""

    @property
    def training(self) -> None:
        """None is needed."""

    def pick(
        self,
        clouds: PointClouds,
        counts: dict[int, int],
        networks: Networks,
        seed: int,
        progress: Progress = silent,
    ) -> Tensor:
        """See :class:`Initializer`."""
        picked = []
        for label, count, members in class_members(clouds, counts):
            order = torch.randperm(len(members), generator=generator(seed, "random", label))
            picked.append(members[order[:count]])
        return torch.cat(picked)


@dataclass(frozen=True)
class _InFeatureSpace(ABC):
    """Picks each class by a rule on the features of a network trained on the clouds at hand.

    Attributes:
        training: of the network.
        folder: where the features are kept and found again, by data, model, training and seed; None keeps
            them nowhere.
    """

    training: Training = FEATURE_TRAINING
    folder: Path | str | None = field(default=None, compare=False, repr=False)

    @abstractmethod
    def select(self, features: Tensor, count: int) -> Tensor:
        """Rows of one class's (n, d) features, the most important first."""

    def pick(
        self,
        clouds: PointClouds,
        counts: dict[int, int],
        networks: Networks,
        seed: int,
        progress: Progress = silent,
    ) -> Tensor:
        """See :class:`Initializer`."""
        features = trained_features(clouds, networks, self.training, seed, progress, self.folder)
        picked = []
        for _, count, members in class_members(clouds, counts):
            picked.append(members[self.select(features[members], count)])
        return torch.cat(picked)


def herd(features: Tensor, count: int) -> Tensor:
    """Picks ``count`` rows, each time the one that brings the mean of the picked nearest the mean.

    s_k = argmin_x || mu - (phi(x) + sum_{j<k} phi(s_j)) / k ||, no row twice (PCC, algorithm 1).

    Args:
        features: (n, d), n >= count.

    Returns:
        (count,) int64, in the order of picking.
    """
    features = features.double()
    mean, total = features.mean(dim=0), torch.zeros_like(features[0])
    free = torch.ones(len(features), dtype=torch.bool)
    picked = []
    for k in range(1, count + 1):
        distance = ((features + total) / k - mean).square().sum(dim=1)
        best = int(distance.masked_fill(~free, torch.inf).argmin())
        free[best] = False
        total = total + features[best]
        picked.append(best)
    return torch.tensor(picked)


def k_center(features: Tensor, count: int) -> Tensor:
    """Picks ``count`` rows, each time the one farthest from the picked; first the nearest to the mean.

    A 2-approximation of the smallest covering radius.

    Args:
        features: (n, d), n >= count.

    Returns:
        (count,) int64, in the order of picking.
    """
    features = features.double()
    first = int((features - features.mean(dim=0)).square().sum(dim=1).argmin())
    picked = [first]
    nearest = (features - features[first]).square().sum(dim=1)
    for _ in range(count - 1):
        nearest[picked[-1]] = -1.0  # never twice, even where features coincide
        farthest = int(nearest.argmax())
        picked.append(farthest)
        distance = (features - features[farthest]).square().sum(dim=1)
        nearest = torch.where(nearest < 0, nearest, torch.minimum(nearest, distance))
    return torch.tensor(picked)


@dataclass(frozen=True)
class Herding(_InFeatureSpace):
    """The clouds whose running mean follows the class mean in feature space (PCC, algorithm 1)."""

    def select(self, features: Tensor, count: int) -> Tensor:
        """See :func:`herd`."""
        return herd(features, count)


@dataclass(frozen=True)
class KCenter(_InFeatureSpace):
    """Greedy k-center in feature space (Sener and Savarese, 2018), from the cloud nearest the mean."""

    def select(self, features: Tensor, count: int) -> Tensor:
        """See :func:`k_center`."""
        return k_center(features, count)
