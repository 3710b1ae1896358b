"""Augmentations of training clouds, each drawn per cloud from an explicit generator."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.errors import InputError, check_range
from cl3d.rotations import euler_rotations, random_rotations, rotate


@dataclass(frozen=True)
class Augmentation:
    """Random scale, jitter and small rotation, as the papers use them (DD3D, section 5.1).

    Attributes:
        scale: each cloud is scaled by a factor drawn uniformly from this range.
        jitter: standard deviation of the noise on each coordinate, clipped at ``jitter_clip``.
        angle: standard deviation in radians of a rotation about each axis, clipped at ``angle_clip``.
        spin: the axis of a uniform rotation ("y": up), "so3" for any rotation, or None.
        dropout: each cloud loses a fraction of its points drawn uniformly from 0 to this; its first point
            stands in for them.
    """

    scale: tuple[float, float] = (0.8, 1.25)
    jitter: float = 0.01
    jitter_clip: float = 0.05
    angle: float = 0.06
    angle_clip: float = 0.18
    spin: str | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise InputError(f"scale={list(self.scale)}: give two factors above 0, the smaller one first")
        object.__setattr__(self, "scale", tuple(self.scale))  # a list, as files give it, compares unequal
        for name in ("jitter", "jitter_clip", "angle", "angle_clip"):
            check_range(name, getattr(self, name), 0, float("inf"))
        check_range("dropout", self.dropout, 0, 1)
        if self.spin not in (None, "x", "y", "z", "so3"):
            raise InputError(f"spin={self.spin!r}: give x, y, z, so3 or null")

    def __call__(self, points: Tensor, generator: torch.Generator) -> Tensor:
        """Augmented copies of (n, p, 3) clouds; draws on the CPU, so every device sees the same."""
        return self._drawn(points, generator)[0]

    def of(self, clouds: PointClouds, generator: torch.Generator) -> PointClouds:
        """The same of clouds with labels: where a point is lost, its part is that of the one in its place."""
        points, lost = self._drawn(clouds.points, generator)
        parts = clouds.parts
        if parts is not None and lost is not None:
            parts = torch.where(lost, parts[:, :1], parts)
        return replace(clouds, points=points, parts=parts)

    def _drawn(self, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Augmented copies, and which points are lost, (n, p) bool; None where none may be."""
        n, lost = len(points), None
        low, high = self.scale
        factor = low + (high - low) * torch.rand(n, 1, 1, generator=generator)
        noise = self.jitter * torch.randn(points.shape, generator=generator)
        angles = self.angle * torch.randn(n, 3, generator=generator)
        turn = euler_rotations(angles.clamp(-self.angle_clip, self.angle_clip))
        if self.spin is not None:
            turn = turn @ random_rotations(n, generator, None if self.spin == "so3" else self.spin)
        if self.dropout > 0:
            ratio = self.dropout * torch.rand(n, 1, generator=generator)
            lost = (torch.rand(points.shape[:2], generator=generator) < ratio).to(points.device)
            points = torch.where(lost.unsqueeze(2), points[:, :1], points)
        turned = rotate(points, turn.to(points))
        noise = noise.clamp(-self.jitter_clip, self.jitter_clip)
        return turned * factor.to(points) + noise.to(points), lost
