"""Gradients of part segmentation, part by part."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.views import point_losses
from cl3d.models import SegmentationNet


def part_gradients(
    net: SegmentationNet,
    weights: Sequence[nn.Parameter],
    clouds: PointClouds,
    parts: Sequence[int],
    create_graph: bool,
) -> list[tuple[Tensor, ...]]:
    """For each part the gradient, by each weight, of the mean cross-entropy over its points (DD3D, eq. 14).

    The network sees whole clouds, once; the mask is on the loss. (The paper's notation may also be read as a
    mask on the clouds; the network would then be matched on clouds such as it never sees in training.)

    Args:
        parts: of which each has points among the clouds.
    """
    assert clouds.parts is not None
    losses = point_losses(net, clouds)
    return [
        torch.autograd.grad(
            losses[clouds.parts == part].mean(),
            weights,
            retain_graph=True,
            create_graph=create_graph,
            materialize_grads=True,
        )
        for part in parts
    ]
