"""A short training on real shapes, for the slow tests of backbones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cl3d.clouds import PointClouds, concatenate
from cl3d.data import modelnet10
from cl3d.distill.evaluation import count_correct
from cl3d.distill.optimizers import Adam
from cl3d.distill.training import Training, fit
from cl3d.models import Backbone
from cl3d.random import isolated

CLASSES, TRAIN, TEST = 5, 24, 20
EPOCHS, BATCH_SIZE, POINTS = 12, 12, 256


@pytest.fixture
def accuracy_after_training(real_data: Path) -> Callable[[Callable[[int], Backbone]], float]:
    """Trains on a slice of ModelNet10, five classes of 24 clouds of 256 points, and tests on 20 of each.

    The 120 steps are about what running statistics need to leave the values they start from.
    """
    dataset = modelnet10(real_data, download=False, num_points=POINTS)

    def first(clouds: PointClouds, count: int) -> PointClouds:
        return concatenate([clouds.of_class(label)[:count] for label in range(CLASSES)])

    def run(build: Callable[[int], Backbone]) -> float:
        with isolated(0, "learning"):
            net = build(CLASSES)
        train, test = first(dataset.train, TRAIN), first(dataset.test, TEST)
        fit(net, train, Training(EPOCHS, batch_size=BATCH_SIZE, optimizer=Adam(lr=1e-3)), seed=0)
        return float(count_correct(net, test, CLASSES).sum()) / len(test)

    return run
