"""Points and learnable rotation angles: clouds that may turn while they are distilled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.parameterizations.points import Points, PointSet
from cl3d.distill.parameterizations.storage import pack, straight_through
from cl3d.errors import InputError, check_positive
from cl3d.progress import Progress, silent
from cl3d.rotations import euler_rotations, rotate


class TurnedSet(PointSet):
    """A :class:`PointSet` each of whose clouds is turned by its own three angles.

    Only the turned points are stored, so angles cost no bytes and what is read back is a plain
    :class:`PointSet`.

    Args:
        angle_rates: learning rates of the angles about x, y and z, in radians.

    Attributes:
        angles: (m, 3) parameter, in radians; any value stands for itself modulo 2 pi.
    """

    def __init__(self, clouds: PointClouds, storage: str, angle_rates: tuple[float, float, float]) -> None:
        super().__init__(clouds, storage)
        self.angle_rates = angle_rates
        self.angles = nn.ParameterList([nn.Parameter(self.points.new_zeros(len(clouds))) for _ in "xyz"])

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The turned clouds; see :class:`~cl3d.distill.synthetic.SyntheticSet`."""
        turned = PointClouds(straight_through(self._turned(), self.storage), self.labels, self.parts)
        return self._at(turned, generator, num_points)

    def stored(self) -> dict[str, Tensor]:
        """The turned coordinates."""
        return {"points": pack(self._turned().detach(), self.storage)}

    def _first(self, clouds_per_class: int | Mapping[int, int]) -> PointSet:
        """A plain set, turned."""
        turned = PointSet(self.decode(), self.storage)
        turned.info = self.info
        return turned._first(clouds_per_class)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The points at the optimizer's rate, the angles at their own."""
        turns = zip(self.angles, self.angle_rates, strict=True)
        return [{"params": [self.points]}, *({"params": [angle], "lr": rate} for angle, rate in turns)]

    def _turned(self) -> Tensor:
        return rotate(self.points, euler_rotations(torch.stack(list(self.angles), dim=1)))


@dataclass(frozen=True)
class TurnedPoints(Points):
    """Stores each cloud as its points, and learns how it is turned (SADM, Yim et al., 2025).

    Attributes:
        angle_rates: learning rates about the x, y and z axis, in radians; the defaults are the paper's,
            y being up.
    """

    angle_rates: tuple[float, float, float] = (1e-3, 1e-2, 1e-3)

    def __post_init__(self) -> None:
        super().__post_init__()
        rates = tuple(self.angle_rates)
        if len(rates) != 3:
            raise InputError(f"angle_rates={list(rates)}: give three, about x, y and z")
        for rate in rates:
            check_positive("angle_rates", rate)
        object.__setattr__(self, "angle_rates", rates)  # a list, as files give it, would not compare equal

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> TurnedSet:
        """A copy of the picked clouds, not yet turned."""
        del shares, progress
        return TurnedSet(self.coarsen(picked, seed), self.storage, self.angle_rates)
