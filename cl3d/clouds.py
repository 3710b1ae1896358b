"""PointClouds: the one value for labelled clouds, and the plain operations on points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.soft_labels import pad_targets


class Digest(Protocol):
    """A hash of :mod:`hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Adds bytes."""


CLOUD_POINT_BYTES = 3 * 4
"""Bytes of one stored point: three float32 coordinates."""


@dataclass(frozen=True, eq=False)
class PointClouds:
    """Labelled point clouds, all with the same number of points.

    Attributes:
        points: (n, p, 3) floating point; centred and in the unit sphere unless said otherwise.
        labels: (n,) int64, the class of each cloud.
        parts: (n, p) int64, the part of each point, or None where parts are unknown.
        soft_labels: (n, k) floating point, the probability of each class 0 to k - 1, or None where
            ``labels`` say all.

    Raises:
        InputError: if the shapes or dtypes do not fit together.
    """

    points: Tensor
    labels: Tensor
    parts: Tensor | None = None
    soft_labels: Tensor | None = None

    def __post_init__(self) -> None:
        if self.points.ndim != 3 or self.points.shape[2] != 3 or not self.points.is_floating_point():
            raise InputError(f"points are {_describe(self.points)}; give floats of shape (clouds, points, 3)")
        if self.labels.shape != self.points.shape[:1] or self.labels.dtype != torch.int64:
            raise InputError(
                f"labels are {_describe(self.labels)}; give int64 of shape ({len(self.points)},)"
            )
        if self.parts is not None and (
            self.parts.shape != self.points.shape[:2] or self.parts.dtype != torch.int64
        ):
            raise InputError(
                f"parts are {_describe(self.parts)}; give int64 of shape {tuple(self.points.shape[:2])}"
            )
        soft = self.soft_labels
        if soft is not None and (
            soft.ndim != 2 or len(soft) != len(self.points) or not soft.is_floating_point()
        ):
            raise InputError(
                f"soft labels are {_describe(soft)}; give floats of shape ({len(self.points)}, classes)"
            )

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Tensor | slice) -> PointClouds:
        """The clouds at ``index``: a slice, or a tensor of positions or of booleans."""
        return self._each(lambda tensor: tensor[index])

    @property
    def num_points(self) -> int:
        """Points per cloud."""
        return self.points.shape[1]

    @property
    def classes(self) -> list[int]:
        """The classes that occur, ascending."""
        return [int(label) for label in self.labels.unique()]

    def clouds_of_each_class(self) -> list[int]:
        """How many clouds each of :attr:`classes` has."""
        return [int(count) for count in self.labels.unique(return_counts=True)[1]]

    def of_class(self, label: int) -> PointClouds:
        """The clouds of one class, in their order."""
        return self[self.labels == label]

    def of_classes(self, labels: Sequence[int]) -> PointClouds:
        """The clouds of several classes, in their order."""
        return self[torch.isin(self.labels, torch.tensor(list(labels), device=self.labels.device))]

    def to(self, device: torch.device | str) -> PointClouds:
        """The same clouds on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> PointClouds:
        """The same change of every tensor."""
        tensors = {name: tensor for name, tensor in vars(self).items() if tensor is not None}
        return PointClouds(**{name: change(tensor) for name, tensor in tensors.items()})

    def with_points(self, points: Tensor) -> PointClouds:
        """The same labels and parts with other coordinates of the same shape."""
        return replace(self, points=points)

    def without_parts(self) -> PointClouds:
        """The same clouds, nothing being known of their parts."""
        return replace(self, parts=None)

    def with_local_labels(self) -> PointClouds:
        """The same clouds with labels 0, 1, ... in the order of :attr:`classes`."""
        known = torch.tensor(self.classes, device=self.labels.device)
        soft = self.soft_labels
        if soft is not None:
            soft = self.soft_targets(max(soft.shape[1], 1 + int(known.max())))[:, known]
        return replace(self, labels=torch.searchsorted(known, self.labels), soft_labels=soft)

    def targets(self, num_classes: int) -> Tensor:
        """What cross-entropy over that many classes compares with.

        Returns:
            The labels, (n,) int64; or, where labels are soft, (n, num_classes) probabilities.

        Raises:
            InputError: if soft labels are of more classes.
        """
        return self.labels if self.soft_labels is None else self.soft_targets(num_classes)

    def soft_targets(self, num_classes: int) -> Tensor:
        """The probability of each class, (n, num_classes); of hard labels, one is 1.

        Raises:
            InputError: if soft labels are of more classes.
        """
        if self.soft_labels is None:
            return torch.nn.functional.one_hot(self.labels, num_classes).to(self.points.dtype)
        return pad_targets(self.soft_labels, num_classes)

    def resample(self, num_points: int, generator: torch.Generator) -> PointClouds:
        """Each cloud with ``num_points`` of its points, chosen at random; see :func:`choose_points`."""
        chosen = choose_points(len(self), self.num_points, num_points, generator)
        return self.take_points(chosen.to(self.points.device))

    def take_points(self, chosen: Tensor) -> PointClouds:
        """Each cloud with its points at the positions ``chosen``, (n, q) int64, and their parts."""
        points = self.points.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 3))
        parts = None if self.parts is None else self.parts.gather(1, chosen)
        return replace(self, points=points, parts=parts)


def concatenate(clouds: Sequence[PointClouds]) -> PointClouds:
    """Several sets of clouds as one; parts are kept where all sets have them, soft labels where one has.

    Raises:
        InputError: if nothing is given or the numbers of points differ.
    """
    if not clouds:
        raise InputError("nothing to concatenate: give at least one set of clouds")
    sizes = sorted({c.num_points for c in clouds})
    if len(sizes) > 1:
        raise InputError(f"sets with {sizes} points per cloud cannot be concatenated: resample them first")
    parts = [c.parts for c in clouds if c.parts is not None]
    return PointClouds(
        torch.cat([c.points for c in clouds]),
        torch.cat([c.labels for c in clouds]),
        torch.cat(parts) if len(parts) == len(clouds) else None,
        _concatenated_soft_labels(clouds),
    )


def _concatenated_soft_labels(clouds: Sequence[PointClouds]) -> Tensor | None:
    """Of as many classes as any has; None where all labels are hard."""
    widths = [c.soft_labels.shape[1] for c in clouds if c.soft_labels is not None]
    if not widths:
        return None
    classes = max(*widths, *(1 + int(c.labels.max()) for c in clouds if len(c)))
    return torch.cat([c.soft_targets(classes) for c in clouds])


def hash_clouds(digest: Digest, clouds: PointClouds) -> None:
    """Adds coordinates and labels to a hash; soft labels and parts, too, where there are some."""
    for tensor in (clouds.points, clouds.labels, clouds.soft_labels, clouds.parts):
        if tensor is None:
            continue
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())


def normalize(points: Tensor) -> Tensor:
    """Centres each cloud at its centroid and scales it into the unit sphere.

    Args:
        points: (..., p, 3).

    Returns:
        The same shape; the farthest point has norm 1. A cloud whose points coincide stays at 0.
    """
    centred = points - points.mean(dim=-2, keepdim=True)
    radius: Tensor = centred.norm(dim=-1, keepdim=True).amax(dim=-2, keepdim=True)
    return centred / radius.clamp_min(torch.finfo(points.dtype).tiny)


def choose_points(clouds: int, available: int, wanted: int, generator: torch.Generator) -> Tensor:
    """Draws ``wanted`` of ``available`` points for each cloud.

    Without repetition as long as there are enough; where more are wanted than there are, all
    are taken and the rest are drawn again, each point at most once more than any other.

    Returns:
        (clouds, wanted) int64.
    """
    if wanted < 1 or available < 1:
        raise InputError(f"{wanted} of {available} points are asked for; both must be at least 1")
    rounds = [
        torch.rand(clouds, available, generator=generator).argsort(dim=1)
        for _ in range(math.ceil(wanted / available))
    ]
    return torch.cat(rounds, dim=1)[:, :wanted]


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
