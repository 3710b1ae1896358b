"""What a run will cost, from one timed training step and the number of clouds that pass through networks."""

from __future__ import annotations

from collections import Counter

import torch

from cl3d.clouds import PointClouds
from cl3d.continual.run import ContinualRun
from cl3d.continual.strategies import Held
from cl3d.distill import Networks
from cl3d.distill.cost import FORWARD_PASS, condensing_passes, seconds_per_pass, seconds_to_start
from cl3d.random import generator

BATCH = 16


def expected_seconds(
    run: ContinualRun, pass_seconds: float | None = None, *, condensing: bool = True
) -> float:
    """A rough forecast, usually right within a factor of 1.5; takes a fraction of a second itself.

    Args:
        pass_seconds: those of one cloud, see :func:`timed_pass`; None times them.
        condensing: whether the run condenses by itself; it does not where it takes another's memory.
    """
    each = timed_pass(run) if pass_seconds is None else pass_seconds
    condensing = condensing and run.memory_of is None
    return training_passes(run, condensing) * each + (_starting(run) if condensing else 0.0)


def timed_pass(run: ContinualRun) -> float:
    """Seconds of one of the data's clouds, sent forward and backward through the run's network."""
    data = run.dataset
    networks = Networks(run.model, data.num_classes, run.device, 0)
    # noise, not data: before its step comes, nothing is to look at a cloud
    points = torch.randn(BATCH, data.train.num_points, 3, generator=generator(0, "estimate"))
    parts = torch.zeros(points.shape[:2], dtype=torch.int64) if run.segments else None
    noise = PointClouds(points, torch.zeros(BATCH, dtype=torch.int64), parts)
    return seconds_per_pass(networks, noise)[0]


def _starting(run: ContinualRun) -> float:
    """Seconds that the sets of all steps take before their first iteration."""
    if run.condenser is None or not run.strategy.needs_buffer:
        return 0.0
    starts = Counter((sum(picks), sum(shares)) for shares, picks in run.plan().steps())
    points = run.dataset.train.num_points
    return sum(n * seconds_to_start(run.condenser, *start, points) for start, n in starts.items())


def training_passes(run: ContinualRun, condensing: bool = True) -> float:
    """How many clouds the run sends forward and backward through a network, other work in proportion.

    They are whole real clouds, of which a coarse one is but a part.
    """
    data, points = run.dataset, run.dataset.train.num_points
    train = torch.bincount(data.train.labels, minlength=data.num_classes)
    test = torch.bincount(data.test.labels, minlength=data.num_classes)
    passes, memory, seen, trained = 0.0, Held(), 0, 0
    remembers = run.strategy.needs_buffer and run.condenser is not None
    made, planned = (run.plan().made(), run.plan().clouds()) if remembers else ([], [])
    for step, size in enumerate(run.classes_per_step):
        classes = run.order[seen : seen + size]
        seen += size
        clouds = int(train[classes].sum())
        # all seen so far, the next step's, and an untrained network on this step's
        ahead = run.order[seen : seen + sum(run.classes_per_step[step + 1 : step + 2])]
        tested = int(test[run.order[:seen]].sum() + test[ahead].sum() + test[classes].sum())
        trained += clouds
        if run.condenser is not None and remembers:
            decoded = made[step].clouds
            passes += condensing_passes(run.condenser, clouds, size, points, decoded) if condensing else 0
            each = run.condenser.parameterization.decoded_points(points) / points
            memory = Held(memory.after, planned[step], each)
        passes += run.strategy.training_passes(clouds, trained, memory) + FORWARD_PASS * tested
    return passes
