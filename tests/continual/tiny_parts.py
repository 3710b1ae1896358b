"""A tiny stream of shapes with parts, and what segments them."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Naive
from torch import nn

from cl3d.continual import SegmentsParts
from cl3d.continual.benchmark import parted, split_classes
from cl3d.data import Dataset, shapes40
from cl3d.models import PointNetSegmentation, SegmentationNet
from cl3d.random import isolated

CLASSES, STEPS, ORDER = 5, 3, [4, 0, 2, 1, 3]
GROUPS = parted(ORDER, split_classes(CLASSES, STEPS))


@pytest.fixture(scope="session")
def shapes():
    """Five classes of a few shapes of 48 points."""
    return shapes40(num_points=48, num_classes=CLASSES, train_per_class=4, test_per_class=2)


def model_for(data: Dataset):
    sizes = {"channels": (5, 11), "hidden": (7,), "transforms": False, "dropout": 0.0}
    return partial(PointNetSegmentation, num_parts=data.num_parts, **sizes)


def a_net(data: Dataset) -> SegmentationNet:
    with isolated(0, "net"):
        return model_for(data)(CLASSES)


class Segmenting(SegmentsParts, Naive):
    """Avalanche's own strategy, for networks that segment."""


def stock(data, *plugins, criterion=None) -> Segmenting:
    net = a_net(data)
    return Segmenting(
        model=net,
        optimizer=torch.optim.SGD(net.parameters(), lr=0.05),
        criterion=criterion or nn.CrossEntropyLoss(),
        train_mb_size=8,
        eval_mb_size=3,
        plugins=list(plugins),
        evaluator=EvaluationPlugin(),
    )
