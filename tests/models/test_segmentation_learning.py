"""Every part segmentation net learns the parts of shapes it has not seen, after a short training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from cl3d.data import shapes40
from cl3d.models import (
    DGCNNSegmentation,
    PCTSegmentation,
    PointConvSegmentation,
    PointMambaSegmentation,
    PointMLPSegmentation,
    PointNetSegmentation,
    PointNeXtSegmentation,
    PointTransformerSegmentation,
    SegmentationNet,
    pointnet2_msg_segmentation,
    pointnet2_ssg_segmentation,
)
from cl3d.models.pointconv import Stage
from cl3d.models.set_abstraction import Ball
from cl3d.random import generator, isolated

CLASSES, POINTS, TRAIN, TEST = 4, 128, 24, 10
EPOCHS, BATCH_SIZE = 25, 12

STAGES = ((Ball(0.3, 16, (16, 32)),), (Ball(0.6, 16, (32, 64)),))
SCALES = ((Ball(0.2, 8, (16,)), Ball(0.4, 16, (16,))), (Ball(0.6, 16, (32, 64)),))
SMALL: dict[str, tuple[Callable[..., SegmentationNet], dict[str, Any]]] = {
    "pointnet": (
        PointNetSegmentation,
        {"channels": (32, 64, 128), "hidden": (64, 32), "transforms": False, "dropout": 0.0},
    ),
    "pointnet2_ssg": (
        pointnet2_ssg_segmentation,
        {"stages": STAGES, "counts": (48, 12), "channels": (64, 128), "hidden": 32, "dropout": 0.0},
    ),
    "pointnet2_msg": (
        pointnet2_msg_segmentation,
        {"stages": SCALES, "counts": (48, 12), "channels": (64, 128), "hidden": 32, "dropout": 0.0},
    ),
    "dgcnn": (
        DGCNNSegmentation,
        {
            "channels": ((32,), (32,)),
            "embedding": 128,
            "hidden": (64, 32),
            "k": 10,
            "transform": False,
            "dropout": 0.0,
        },
    ),
    "pct": (
        PCTSegmentation,
        {"width": 32, "attentions": 2, "embedding": 128, "hidden": (64,), "dropout": 0.0},
    ),
    "pointmlp": (
        PointMLPSegmentation,
        {"width": 16, "growth": (2, 2), "decoder": (32, 32), "context": 32, "k": 8, "dropout": 0.0},
    ),
    "pointnext": (
        PointNeXtSegmentation,
        {"width": 16, "stages": 3, "radius": 0.3, "radius_growth": 1.5, "k": 8, "dropout": 0.0},
    ),
    "pointconv": (
        PointConvSegmentation,
        {
            "stages": (Stage(48, 8, 0.1, (16, 32)), Stage(12, 8, 0.2, (32, 64))),
            "decoder": ((64, 64), (32, 32)),
            "hidden": 32,
            "dropout": 0.0,
        },
    ),
    "pointmamba": (
        PointMambaSegmentation,
        {
            "width": 32,
            "depth": 2,
            "fetched": (1, 2),
            "count": 32,
            "k": 8,
            "propagation": (64,),
            "hidden": (64, 32),
            "dropout": 0.0,
            "drop_path": 0.0,
        },
    ),
    "point_transformer": (
        PointTransformerSegmentation,
        {"channels": (16, 32, 64), "blocks": (1, 1, 1), "neighbours": (8, 8, 8)},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_it_learns_parts(name: str) -> None:
    build, sizes = SMALL[name]
    data = shapes40(POINTS, TRAIN, TEST, num_classes=CLASSES)
    parts = int(data.train.parts.max()) + 1
    with isolated(0, "learning"):
        net = build(CLASSES, parts, **sizes)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    # running statistics have to catch up with the weights in the end
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(data.train), generator=generator(0, "epoch", epoch))
        for batch in (data.train[rows] for rows in order.split(BATCH_SIZE)):
            loss = torch.nn.functional.cross_entropy(net(batch.points, batch.labels).mT, batch.parts)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        right = net.eval()(data.test.points, data.test.labels).argmax(dim=2) == data.test.parts
    # the most frequent part has a quarter of the points
    assert float(right.float().mean()) > 0.75
