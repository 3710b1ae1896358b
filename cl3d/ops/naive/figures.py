"""The plain twins of nearest-mean classification and of figures of part segmentation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def class_means(features: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Twin of :func:`cl3d.ops.nearest_mean.class_means`: (n, d), (n,) → (num_classes, d)."""
    means = []
    for label in range(num_classes):
        units = [f / f.square().sum().sqrt() for f, own in zip(features, labels, strict=True) if own == label]
        mean = sum(units, torch.zeros_like(features[0])) / max(len(units), 1)
        means.append(mean / mean.square().sum().sqrt())
    return torch.stack(means)


def nearest_mean_scores(features: Tensor, means: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.nearest_mean.nearest_mean_scores`: (n, d), (k, d) → (n, k)."""
    rows = []
    for feature in features:
        unit = feature / feature.square().sum().sqrt()
        far = [(unit - mean).square().sum().sqrt() for mean in means]
        rows.append(torch.stack([-d if bool(torch.isfinite(d)) else d.new_tensor(-torch.inf) for d in far]))
    return torch.stack(rows)


def shape_ious(
    predicted: Tensor, truth: Tensor, labels: Tensor, class_parts: Sequence[Sequence[int]]
) -> Tensor:
    """Twin of :func:`cl3d.ops.part_iou.shape_ious`: sets of points, one shape and part after the other."""
    ious = []
    for found, true, label in zip(predicted.tolist(), truth.tolist(), labels.tolist(), strict=True):
        of_parts = []
        for part in class_parts[label]:
            one = {point for point, own in enumerate(found) if own == part}
            other = {point for point, own in enumerate(true) if own == part}
            of_parts.append(len(one & other) / len(one | other) if one | other else 1.0)
        ious.append(sum(of_parts) / len(of_parts))
    return torch.tensor(ious, dtype=torch.float64)
