"""Critical points: those that a network's feature comes from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, normalize
from cl3d.models import Backbone
from cl3d.report.gallery import Panel


def critical_points(net: Backbone, points: Tensor) -> Tensor:
    """Which points win the max over points in some channel (Qi et al., CVPR 2017, section 5.3).

    Args:
        net: a backbone that keeps all points and pools by the max; used in eval mode.
        points: (n, p, 3).

    Returns:
        (n, p) bool, on the CPU.
    """
    net.eval()
    with torch.no_grad():
        features = net.point_features(points)
    winners = torch.nn.functional.one_hot(features.argmax(dim=1), points.shape[1])
    # a channel in which all points tie (0 behind a ReLU) comes from none of them
    decided = features.amax(dim=1) > features.amin(dim=1)
    return (winners.bool() & decided.unsqueeze(2)).any(dim=1).cpu()


def side_by_side(
    sets: Sequence[tuple[str, PointClouds]], class_names: Sequence[str], per_class: int, net: Backbone | None
) -> list[Panel]:
    """The first clouds of each class from several sets beside each other, critical points or parts coloured.

    Args:
        sets: name and clouds; drawn in this order.
        per_class: clouds of each class and set.
        net: decides which points are critical, on its own device; None colours parts, where there are some.
    """
    classes = sorted({label for _, clouds in sets for label in clouds.classes})
    panels = []
    for label in classes:
        of_class = [(name, clouds.of_class(label)) for name, clouds in sets]
        # of all sets together, so that a part has one colour in all of them
        lowest = min((int(c.parts.min()) for _, c in of_class if c.parts is not None and len(c)), default=0)
        for position in range(per_class):
            for name, mine in of_class:
                if position < len(mine):
                    points = normalize(mine.points[position].detach())
                    title = f"{class_names[label]}, {name}" if name else class_names[label]
                    parts = None if mine.parts is None else mine.parts[position] - lowest
                    panels.append(Panel(title, points, parts if net is None else _marks(net, points)))
    return panels


def _marks(net: Backbone, points: Tensor) -> Tensor:
    device = next(net.parameters()).device
    return critical_points(net, points.unsqueeze(0).to(device))[0].long()
