"""A tiny stream, and strategies over it as a user would build them."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.templates import SupervisedTemplate
from torch import nn

from cl3d.continual import CondensedBuffer, class_incremental
from cl3d.data import shapes40
from cl3d.distill import Budget, presets
from cl3d.models import PointNet
from cl3d.random import isolated

CLASSES, STEPS = 5, 3
NET = partial(PointNet, channels=(5, 11), head=(7,), norm="none")
NEVER_ENOUGH = "ignore:class .* clouds, .* are asked for"


@pytest.fixture(scope="session")
def data():
    """Five classes of a few clouds of 67 points."""
    return shapes40(num_points=67, num_classes=CLASSES, train_per_class=4, test_per_class=2)


@pytest.fixture(scope="session")
def benchmark(data):
    """Their stream of three steps."""
    return class_incremental(data, STEPS, range(CLASSES))


class OwnLoss(SupervisedTemplate):
    """A user's strategy: another loss, and a step of its own after each epoch."""

    def criterion(self):
        return 0.7 * super().criterion() + 0.1 * self.mb_output.square().mean()

    def _after_training_epoch(self, **kwargs):
        self.epochs_seen = getattr(self, "epochs_seen", 0) + 1
        super()._after_training_epoch(**kwargs)


class OwnLoop(SupervisedTemplate):
    """A user's strategy that goes through the data by itself, and calls what plugins wait for."""

    def training_epoch(self, **kwargs):
        for batch in self.dataloader:
            self.mbatch = batch
            self._unpack_minibatch()
            self.optimizer.zero_grad()
            self.mb_output = self.forward()
            self.loss = self.criterion()
            self._before_backward(**kwargs)
            self.backward()
            self.optimizer_step()


class Deaf(SupervisedTemplate):
    """A user's strategy that tells plugins nothing of its iterations."""

    def training_epoch(self, **kwargs):
        for batch in self.dataloader:
            self.mbatch = batch
            self._unpack_minibatch()
            self.optimizer.zero_grad()
            self.criterion_of(self.forward()).backward()
            self.optimizer_step()

    def criterion_of(self, output):
        return nn.functional.cross_entropy(output, self.mb_y)


def build(strategy, plugins, net=None, **settings):
    if net is None:
        with isolated(0, "net"):
            net = NET(CLASSES)
    defaults = {
        "train_mb_size": 5,
        "train_epochs": 2,
        "eval_mb_size": 8,
        "criterion": nn.CrossEntropyLoss(),
        "evaluator": EvaluationPlugin(),
    }
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    return strategy(model=net, optimizer=optimizer, plugins=plugins, **(defaults | settings))


def memory(condenser=None, **settings) -> CondensedBuffer:
    return CondensedBuffer(condenser or presets.random(), Budget(ppc=2), NET, **settings)
