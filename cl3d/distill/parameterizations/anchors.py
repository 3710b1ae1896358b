"""Morphing anchors: a few coarse clouds, and learnable blends between them that cost next to nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from operator import mul
from typing import ClassVar

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, concatenate
from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.parameterizations.anchor_set import AnchorSet
from cl3d.distill.parameterizations.part_labels import in_part_order
from cl3d.distill.parameterizations.sizes import Units
from cl3d.distill.parameterizations.storage import check_storage, point_nbytes, within_range
from cl3d.errors import InputError, check_positive, check_whole
from cl3d.ops.assignment import align
from cl3d.ops.fps import farthest_points
from cl3d.progress import Progress, silent
from cl3d.random import generator as keyed_generator


@dataclass(frozen=True)
class Anchors:
    """Stores as many groups as raw clouds fit: M coarse anchors and L blends for each (Morphing).

    A group's M q points and L (M - 1) logits cost no more than one raw cloud (eq. 12); q is as large as
    that allows.

    Attributes:
        anchors: M, real clouds coarsened by farthest point sampling, from the second on re-ordered so that
            they match the first with the least sum of distances.
        blends: L; their weights start uniform on the simplex.
        storage: precision of the anchors.
        blend_rate: learning rate of the logits; None is the optimizer's.

    Raises:
        InputError: if a number is out of range.
    """

    anchors: int = 4
    blends: int = 16
    storage: str = "float32"
    blend_rate: float | None = None
    takes_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_whole("anchors", self.anchors, 2)
        check_whole("blends", self.blends, 0)
        check_storage(self.storage)
        if self.blend_rate is not None:
            check_positive("blend_rate", self.blend_rate)

    @property
    def starts_from_picks(self) -> bool:
        """Yes."""
        return True

    def size(
        self, picks: Mapping[int, int], shares: Mapping[int, int], num_points: int, parts: bool = False
    ) -> Units:
        """Groups of M + L clouds: those that the share pays for and the picked clouds make, see `start`."""
        raw, others = cloud_nbytes(num_points), self.anchors - 1
        groups = {
            label: len(_rows_of_groups(share // raw, self.anchors, picks[label]))
            for label, share in shares.items()
        }
        points = min(self.points_within(raw, parts), num_points)
        each = points * self._point_nbytes(parts) + 4 * self.blends * others
        return Units(groups, each, partial(mul, self.anchors + self.blends))

    def decoded_points(self, num_points: int) -> int:
        """As many as a group of the bytes of a raw cloud leaves for each anchor."""
        return min(self.points_within(cloud_nbytes(num_points)), num_points)

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses anchors without points."""
        raw = cloud_nbytes(num_points)
        if self.points_within(raw) < 1:
            raise InputError(
                f"{self.anchors} anchors and {self.blends} blends leave no byte of {raw} for points: "
                "give fewer of them, or clouds of more points"
            )

    def points_within(self, nbytes: int, parts: bool = False) -> int:
        """Points per anchor of a group of that many bytes (Morphing, eq. 12).

        Args:
            parts: whether all points but those of the first anchor take a byte more, for their parts.
        """
        return (nbytes - 4 * self.blends * (self.anchors - 1)) // self._point_nbytes(parts)

    def _point_nbytes(self, parts: bool) -> int:
        """Bytes of a point of each anchor of a group."""
        return self.anchors * point_nbytes(self.storage) + (self.anchors - 1 if parts else 0)

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """M clouds for each raw cloud that would fit."""
        return self.anchors * (nbytes // cloud_nbytes(num_points))

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> AnchorSet:
        """Groups of the picked clouds, which serve again, in other groups, where a class has too few.

        No two groups are of the same clouds: of a class of n there is one if n <= M, else at most n.
        """
        raw = cloud_nbytes(picked.num_points)
        size = min(self.points_within(raw, picked.parts is not None), picked.num_points)
        if size < 1:
            raise InputError(
                f"{raw} bytes leave none for points of {self.anchors} anchors with parts: give more"
            )
        coarse = picked.take_points(farthest_points(picked.points, size))
        coarse = coarse.with_points(within_range(coarse.points, self.storage))
        groups, labels = list[PointClouds](), []
        with progress("aligning", sum(share // raw for share in shares.values())) as advance:
            for label, share in shares.items():
                mine = coarse.of_class(label)
                for rows in _rows_of_groups(share // raw, self.anchors, len(mine)):
                    groups.append(_aligned(mine[rows.to(mine.labels.device)]))
                    labels.append(label)
                    advance()
        draws = torch.rand(len(groups), self.blends, self.anchors, generator=keyed_generator(seed, "blends"))
        # minus logarithms of uniform numbers, normalised, are uniform on the simplex
        logs = (-draws.clamp_min(1e-12).log()).clamp_min(1e-12).log()
        logits = (logs[..., :-1] - logs[..., -1:]).to(coarse.points.device)
        parts = [group.parts for group in groups if group.parts is not None]
        return AnchorSet(
            torch.stack([group.points for group in groups]).float(),
            logits,
            torch.tensor(labels, device=coarse.labels.device),
            self.storage,
            self.blend_rate,
            torch.stack(parts) if parts else None,
        )


def _rows_of_groups(groups: int, anchors: int, clouds: int) -> list[Tensor]:
    """The clouds of each group: one after the other, and in each further round shifted by one."""
    there_are = 1 if clouds <= anchors else clouds
    in_a_round = clouds // math.gcd(anchors, clouds)
    starts = [group * anchors + group // in_a_round for group in range(min(groups, there_are))]
    return [torch.arange(start, start + anchors) % clouds for start in starts]


def _aligned(group: PointClouds) -> PointClouds:
    """The clouds of a group, each re-ordered to match the first; that in the order of its parts, if any."""
    first = in_part_order(group[:1])
    return concatenate([first, group[1:].take_points(align(group.points[1:], first.points[0]))])
