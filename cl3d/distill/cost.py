"""What condensing costs: passes through networks, and what is timed here and now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.networks import Networks
from cl3d.distill.parameterizations.base import StartsSlowly
from cl3d.distill.timing import fastest
from cl3d.distill.views import mean_loss, outputs

if TYPE_CHECKING:
    from cl3d.distill.condenser import Condenser

FORWARD_PASS = 0.4
"""Cost of a forward pass without a graph, in training passes."""


def condensing_passes(condenser: Condenser, clouds: int, classes: int, num_points: int, stored: int) -> float:
    """What condensing costs, in real clouds sent forward and backward through a network.

    A network's work grows with the points, so that a cloud of a quarter of them counts a quarter.

    Args:
        clouds, classes, num_points: of the real data.
        stored: clouds that the set decodes to.
    """
    training, objective = condenser.initializer.training, condenser.objective
    passes = 0.0 if training is None else float(training.epochs * clouds)
    if objective is None:
        return passes
    of_real, of_synthetic = objective.passes(stored)
    batch, reference = (min(b, clouds / classes) for b in (condenser.real_batch, condenser.statistics_batch))
    finest = num_points if condenser.real_points is None else condenser.real_points
    real = classes * (of_real * batch + FORWARD_PASS * reference) * finest / num_points
    points = condenser.parameterization.decoded_points(num_points)
    synthetic = (of_synthetic + condenser.surrogates.training_epochs) * stored * points / num_points
    return passes + condenser.surrogates.real_epochs * clouds + condenser.iterations * (real + synthetic)


def seconds_to_start(condenser: Condenser, picks: int, nbytes: int, num_points: int) -> float:
    """What a set takes before its first iteration where that is long, as fitting a generator is; timed."""
    stored = condenser.parameterization
    return stored.seconds_to_start(picks, nbytes, num_points) if isinstance(stored, StartsSlowly) else 0.0


def seconds_per_pass(networks: Networks, clouds: PointClouds) -> tuple[float, float]:
    """Seconds that one of these clouds takes, all of them being sent through a network as one batch.

    Args:
        clouds: two at least, with labels below the networks' number of classes; and with parts, if these
            segment.

    Returns:
        For training, forward and backward; and for testing, forward in eval mode without a graph.
    """
    net = networks.draw("cost")
    clouds = clouds.to(networks.device)

    def train() -> Tensor:
        loss = mean_loss(net.train(), clouds)
        loss.backward()
        return loss

    def test() -> Tensor:
        with torch.no_grad():
            return outputs(net.eval(), clouds)

    def seconds(run: Callable[[], Tensor]) -> float:
        def waited_for() -> None:
            run().cpu()
            next(net.parameters()).detach().cpu()  # waits for the device

        return fastest(waited_for, 3)

    return seconds(train) / len(clouds), seconds(test) / len(clouds)
