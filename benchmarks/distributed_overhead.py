"""What the way through several processes costs one process: python benchmarks/distributed_overhead.py.

Matches the classes of one iteration by ``cl3d.distill.matching.match`` and by the plain loop over classes
that it is for one process, in turns, and prints one JSON object: for each objective the ratio of the medians.
It counts the seconds of the processor, which other work on the machine does not change much.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.matching import match
from cl3d.distill.objectives import DistributionMatching, GradientMatching
from cl3d.models import PointNet
from cl3d.random import generator, isolated

CLASSES, REAL, SYNTHETIC, POINTS, REPEATS = 10, 8, 1, 256, 20


def main() -> None:
    torch.set_num_threads(1)
    with isolated(0, "net"):
        net = PointNet(CLASSES).eval()
    real = [clouds_of(label, REAL) for label in range(CLASSES)]
    labels = torch.arange(CLASSES).repeat_interleave(SYNTHETIC)
    now = PointClouds(torch.cat([clouds_of(label, SYNTHETIC, 1).points for label in range(CLASSES)]), labels)
    report = {"classes": CLASSES, "points": POINTS, "repeats": REPEATS, "torch": torch.__version__}
    for objective in (DistributionMatching(), GradientMatching("row_cosine")):

        def shared(objective=objective) -> tuple[float, Tensor]:
            return match(objective, net, real, now)

        def alone(objective=objective) -> tuple[float, Tensor]:
            return plain(objective, net, real, now)

        (loss, gradient), (plain_loss, plain_gradient) = shared(), alone()
        assert loss == plain_loss
        assert torch.equal(gradient, plain_gradient)
        ways = [(seconds(shared), seconds(alone)) for _ in range(REPEATS)]
        medians = [statistics.median(way) for way in zip(*ways, strict=True)]
        report[type(objective).__name__] = {
            "milliseconds": round(1000 * medians[0], 2),
            "plain_milliseconds": round(1000 * medians[1], 2),
            "ratio": round(medians[0] / medians[1], 4),
        }
    print(json.dumps(report, indent=1))


def plain(objective, net, real: list[PointClouds], now: PointClouds) -> tuple[float, Tensor]:
    """One class after the other, summed up on the way."""
    total, gradient = 0.0, torch.zeros_like(now.points)
    for label, batch in enumerate(real):
        mine = now.labels == label
        leaf = now.points.detach()[mine].requires_grad_()
        loss = objective(net, batch, PointClouds(leaf, now.labels[mine]))
        loss.backward(inputs=[leaf])
        gradient[mine] = leaf.grad
        total += float(loss.detach())
    return total, gradient


def clouds_of(label: int, count: int, seed: int = 0) -> PointClouds:
    points = torch.randn(count, POINTS, 3, generator=generator(seed, "clouds", label))
    return PointClouds(points, torch.full((count,), label))


def seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    main()
