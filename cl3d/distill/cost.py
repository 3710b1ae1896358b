"""What networks cost: passes, and one timed pass of a few clouds here and now."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.networks import Networks
from cl3d.distill.views import mean_loss, outputs
from cl3d.models import Net

FORWARD_PASS = 0.4
"""Cost of a forward pass without a graph, in training passes."""


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

    return _best(train, net) / len(clouds), _best(test, net) / len(clouds)


def _best(run: Callable[[], Tensor], net: Net, repeats: int = 3) -> float:
    """Seconds of the fastest of a few runs; the first ones warm up."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run().cpu()
        next(net.parameters()).detach().cpu()  # waits for the device
        seconds.append(time.perf_counter() - start)
    return min(seconds)
