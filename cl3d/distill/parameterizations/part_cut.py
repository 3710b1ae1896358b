"""Noise cut into parts: the value of a noise says which part its point belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.parameterizations.part_labels import check_labels
from cl3d.errors import InputError


class PartCut(nn.Module):
    """[0, 1) cut for each class at the shares that its parts have of the points (DD3D, section 4.3).

    Classes are told by their rank among those of a set, from 0.

    Args:
        parts: of each class, ascending, those that it has.
        ends: (sum of these,) float32, where the interval of each part ends, class by class; the last of each
            class is 1.

    Attributes:
        ends: buffer.

    Raises:
        InputError: if these do not fit together.
    """

    ends: Tensor

    def __init__(self, parts: Sequence[Sequence[int]], ends: Tensor) -> None:
        super().__init__()
        self.parts = [list(own) for own in parts]
        self.register_buffer("ends", ends)
        if [len(own) for own in self.parts if own] != [len(own) for own in self.parts] or len(ends) != sum(
            map(len, self.parts)
        ):
            raise InputError(f"{len(ends)} ends of parts do not fit those of {len(self.parts)} classes")
        rising = all(bool((own.diff() > 0).all()) and float(own[-1]) == 1 for own in self._of_each_class())
        if not rising or bool((ends <= 0).any()):
            raise InputError("the ends of a class's parts are not rising from above 0 to 1")

    @classmethod
    def estimated(cls, clouds: PointClouds) -> PartCut:
        """The cut at the mean shares of the parts in clouds of each class, of which each has some."""
        assert clouds.parts is not None
        parts, ends = [], []
        for label in clouds.classes:
            own, counts = clouds.parts[clouds.labels == label].unique(return_counts=True)
            parts.append(own.tolist())
            ends.append(_rising((counts.double().cumsum(0) / counts.sum()).float()))
        return cls(parts, torch.cat(ends))

    @classmethod
    def rebuild(cls, parts: Any, ends: Tensor) -> PartCut:
        """From a file's settings and tensor; see :class:`PartCut`."""
        if not isinstance(parts, list) or ends.dtype != torch.float32 or ends.ndim != 1:
            raise InputError("the parts of a generator are a list for each class, with their ends in float32")
        return cls([check_labels(own) for own in parts], ends)

    @property
    def nbytes(self) -> int:
        """Of the ends, which are stored."""
        return self.ends.numel() * self.ends.element_size()

    def parts_at(self, noise: Tensor, ranks: Tensor) -> Tensor:
        """The part of each noise: (m, p) in [0, 1), of m clouds of classes (m,) → (m, p) int64."""
        found = torch.empty(noise.shape, dtype=torch.int64, device=noise.device)
        for rank, (parts, ends) in enumerate(zip(self.parts, self._of_each_class(), strict=True)):
            mine = ranks == rank
            position = torch.searchsorted(ends, noise[mine].contiguous(), right=True)
            found[mine] = torch.tensor(parts, device=noise.device)[position.clamp(max=len(parts) - 1)]
        return found

    def noise_for(self, parts: Tensor, ranks: Tensor, draws: torch.Generator) -> Tensor:
        """Noise drawn from the intervals of given parts: (m, p) of m clouds of classes (m,) → (m, p)."""
        uniform = torch.rand(parts.shape, generator=draws).to(self.ends)
        noise = torch.empty_like(uniform)
        for rank, (own, ends) in enumerate(zip(self.parts, self._of_each_class(), strict=True)):
            mine = ranks == rank
            position = torch.searchsorted(torch.tensor(own, device=parts.device), parts[mine])
            starts = torch.cat([ends.new_zeros(1), ends[:-1]])
            drawn = starts[position] + uniform[mine] * (ends - starts)[position]
            # a sum may be rounded up to the end, which is the next part's
            noise[mine] = torch.minimum(drawn, _below(ends)[position])
        return noise

    def _of_each_class(self) -> Sequence[Tensor]:
        split: Sequence[Tensor] = self.ends.split([len(own) for own in self.parts])
        return split


def _rising(ends: Tensor) -> Tensor:
    """Ends, the last of which is 1, with room for a part that has too few points for float32 to see."""
    for place in range(len(ends) - 2, -1, -1):
        ends[place] = torch.minimum(ends[place], _below(ends[place + 1]))
    return ends


def _below(ends: Tensor) -> Tensor:
    """The largest float32 below each."""
    return torch.nextafter(ends, torch.zeros_like(ends))
