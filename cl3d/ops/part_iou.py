"""Overlap of predicted with true parts, by the convention of ShapeNetPart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

ClassParts = Sequence[Sequence[int]]
"""The parts of each class, by its label."""


def predicted_parts(logits: Tensor, labels: Tensor, class_parts: ClassParts) -> Tensor:
    """The most likely part of each point among those of its shape's own class.

    Args:
        logits: (n, p, parts).
        labels: (n,) int64, the class of each shape.

    Returns:
        (n, p) int64.
    """
    allowed = torch.zeros(len(class_parts), logits.shape[2], dtype=torch.bool)
    for label, parts in enumerate(class_parts):
        allowed[label, list(parts)] = True
    elsewhere = ~allowed.to(logits.device)[labels].unsqueeze(1)
    return logits.masked_fill(elsewhere, -torch.inf).argmax(dim=2)


def shape_ious(predicted: Tensor, truth: Tensor, labels: Tensor, class_parts: ClassParts) -> Tensor:
    """Mean over the parts of each shape's class of the intersection over union with the true part.

    A part that a shape neither has nor is said to have counts 1 (Qi et al., "PointNet", CVPR 2017, section
    5.2, and the authors' code).

    Args:
        predicted, truth: (n, p) int64 parts of points.
        labels: (n,) int64.

    Returns:
        (n,) float64, in [0, 1].
    """
    ious = torch.empty(len(labels), dtype=torch.float64, device=truth.device)
    for label in labels.unique().tolist():
        mine = labels == label
        parts = torch.tensor(list(class_parts[label]), device=truth.device)
        found, true = (given[mine].unsqueeze(2) == parts for given in (predicted, truth))
        both, either = (found & true).sum(dim=1).double(), (found | true).sum(dim=1).double()
        ious[mine] = torch.where(either > 0, both / either.clamp_min(1), 1.0).mean(dim=1)
    return ious
