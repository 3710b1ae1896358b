"""The set of morphing anchors: a few coarse clouds, and blends between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.parameterizations.part_labels import (
    as_bytes,
    check_labels,
    from_bytes,
    parts_of,
    runs_of,
)
from cl3d.distill.parameterizations.sizes import Units
from cl3d.distill.parameterizations.storage import (
    pack,
    storage_of,
    straight_through,
    unpack,
)
from cl3d.distill.synthetic import SyntheticSet, first_of_each
from cl3d.errors import InputError


class AnchorSet(SyntheticSet):
    """Groups of M aligned anchors and L blends of each group (Morphing, section 3.2).

    Group i decodes to its anchors, then its blends, sum over m of softmax(logits)_m · anchor_m (eq. 5
    and 6); the last of the M logits is 0 and not stored.

    Args:
        anchors: (s, M, q, 3), each anchor's points in the order of the first anchor's.
        logits: (s, L, M - 1).
        group_labels: (s,) int64, ascending.
        storage: precision of the anchors.
        blend_rate: learning rate of the logits; None is the optimizer's.
        parts: (s, M, q) int64, the part of each anchor's points, ascending in the first; or None. Blends have
            the parts of their first anchor, whose points all others correspond to. Those of the first anchor
            follow from their order; of every other point the part is stored, in one byte.
    """

    kind = "anchors"
    parts: Tensor | None

    def __init__(
        self,
        anchors: Tensor,
        logits: Tensor,
        group_labels: Tensor,
        storage: str = "float32",
        blend_rate: float | None = None,
        parts: Tensor | None = None,
    ) -> None:
        super().__init__(group_labels.repeat_interleave(anchors.shape[1] + logits.shape[1]))
        self.storage, self.blend_rate = storage, blend_rate
        self.anchors = nn.Parameter(anchors.detach().to(torch.float32, copy=True))
        self.logits = nn.Parameter(logits.detach().clone())
        self.register_buffer("parts", parts, persistent=False)
        if parts is not None and parts.shape[1] > 1:
            as_bytes(parts[:, 1:], self._part_labels)  # refuses more of them than bytes tell apart

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """Anchors and blends, group by group; see :class:`SyntheticSet`."""
        anchors = straight_through(self.anchors, self.storage)
        blends = torch.einsum("slm,smqc->slqc", self.weights(), anchors)
        points = torch.cat([anchors, blends], dim=1).flatten(0, 1)
        return self._at(PointClouds(points, self.labels, self._decoded_parts()), generator, num_points)

    def weights(self) -> Tensor:
        """Of each anchor of its group in each blend, (s, L, M); they sum up to 1."""
        logits = torch.cat([self.logits, self.logits.new_zeros(*self.logits.shape[:2], 1)], dim=2)
        return logits.softmax(dim=2)

    def _decoded_parts(self) -> Tensor | None:
        if self.parts is None:
            return None
        of_blends = self.parts[:, :1].expand(-1, self.logits.shape[1], -1)
        return torch.cat([self.parts, of_blends], dim=1).flatten(0, 1)

    def stored(self) -> dict[str, Tensor]:
        """Anchors in the storage's dtype; logits and the parts of later anchors, where there are any."""
        tensors = {"anchors": pack(self.anchors.detach(), self.storage)}
        if self.logits.numel():
            tensors["logits"] = self.logits.detach()
        if self.parts is not None and self.parts.shape[1] > 1:
            tensors["parts"] = as_bytes(self.parts[:, 1:], self._part_labels)
        return tensors

    @property
    def _part_labels(self) -> list[int]:
        """What the bytes of parts stand for."""
        assert self.parts is not None
        labels: list[int] = self.parts.unique().tolist()
        return labels

    @property
    def stored_clouds(self) -> int:
        """The anchors."""
        return self.anchors.shape[0] * self.anchors.shape[1]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The anchors at the optimizer's rate, the logits at theirs."""
        rate = {} if self.blend_rate is None else {"lr": self.blend_rate}
        return [{"params": [self.anchors]}, {"params": [self.logits], **rate}]

    def prune(self, clouds_per_class: int) -> AnchorSet:
        """Keeps whole groups, the first of each class; of a single group fewer blends, then fewer anchors."""
        anchors, blends = self.anchors.shape[1], self.logits.shape[1]
        groups = clouds_per_class // (anchors + blends)
        if groups == 0 and clouds_per_class > 0:
            groups, anchors = 1, min(anchors, clouds_per_class)
            blends = clouds_per_class - anchors
        return self._first(groups, anchors, blends)

    def shrink(self, shares: Mapping[int, int], seed: int = 0) -> AnchorSet:
        """Keeps as many whole groups of each class as its share pays for, the first ones."""
        anchors, blends = self.anchors.shape[1], self.logits.shape[1]
        groups = {label: count // (anchors + blends) for label, count in self.clouds_per_class.items()}
        size = Units(groups, self.nbytes // len(self.anchors))
        left = size.shrunk(shares)
        return self if left is size else self._first(left.held, anchors, blends)

    def _first(self, groups: int | Mapping[int, int], anchors: int, blends: int) -> AnchorSet:
        """The first groups of each class, and of each the first anchors and blends."""
        labels = self.labels[:: self.anchors.shape[1] + self.logits.shape[1]]
        kept = first_of_each(labels, groups)
        pruned = AnchorSet(
            self.anchors[kept, :anchors],
            self.logits[kept, :blends, : anchors - 1],
            labels[kept],
            self.storage,
            self.blend_rate,
            None if self.parts is None else self.parts[kept, :anchors],
        )
        pruned.info = dict(self.info)
        return pruned

    def config(self) -> dict[str, Any]:
        """What is known of parts: how many points of each first anchor have which, and the bytes' meaning."""
        if self.parts is None:
            return {}
        return {"parts": runs_of(self.parts[:, 0]), "part_labels": self._part_labels}

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> AnchorSet:
        """From a file's tensors; see :class:`SyntheticSet`."""
        known = {"anchors", "logits", *(["parts"] if "parts" in config else [])}
        if "anchors" not in tensors or not set(tensors) <= known:
            raise InputError(f"a set of anchors holds 'anchors' and 'logits', not {sorted(tensors)}")
        packed = tensors["anchors"]
        storage = storage_of(packed)
        if packed.ndim != 4 or packed.shape[3] != 3 or 0 in packed.shape:
            raise InputError(f"anchors are {tuple(packed.shape)}, not (groups, anchors, points, 3)")
        groups, anchors = packed.shape[:2]
        logits = tensors.get("logits", torch.zeros(groups, 0, anchors - 1))
        if logits.ndim != 3 or (groups, anchors - 1) != (logits.shape[0], logits.shape[2]):
            raise InputError(f"logits are {tuple(logits.shape)}, not ({groups}, blends, {anchors - 1})")
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise InputError("a set of anchors holds finite numbers")
        each = anchors + logits.shape[1]
        group_labels = labels[::each]
        if len(labels) != groups * each or not torch.equal(group_labels.repeat_interleave(each), labels):
            raise InputError(f"{len(labels)} labels do not fit {groups} groups of {each} clouds")
        parts = _rebuilt_parts(tensors.get("parts"), config, (groups, anchors, packed.shape[2]))
        return cls(unpack(packed), logits, group_labels, storage, parts=parts)


def _rebuilt_parts(
    others: Tensor | None, config: dict[str, Any], shape: tuple[int, int, int]
) -> Tensor | None:
    """The parts of all anchors, (groups, anchors, points); None where a file has none."""
    if not config:
        return None
    if set(config) != {"parts", "part_labels"}:
        raise InputError(f"a set of anchors has parts and part_labels, or neither, not {sorted(config)}")
    groups, anchors, points = shape
    first = parts_of(config["parts"], groups, points).unsqueeze(1)
    if others is None:
        others = torch.zeros(groups, 0, points, dtype=torch.uint8)
    if others.shape != (groups, anchors - 1, points):
        raise InputError(f"parts are {tuple(others.shape)}, not ({groups}, {anchors - 1}, {points})")
    return torch.cat([first, from_bytes(others, check_labels(config["part_labels"]))], dim=1)
