"""What a run will cost, from one timed training step and the number of clouds that pass through networks."""

from __future__ import annotations

import time

import torch
from torch import nn

from cl3d.continual.run import ContinualRun
from cl3d.distill import Networks
from cl3d.distill.condenser import FORWARD_PASS

BATCH = 16


def expected_seconds(run: ContinualRun) -> float:
    """A rough forecast, usually right within a factor of 1.5; takes a fraction of a second itself."""
    return training_passes(run) * _seconds_per_pass(run)


def training_passes(run: ContinualRun) -> float:
    """How many clouds the run sends forward and backward through a network, other work in proportion."""
    data = run.dataset
    train = torch.bincount(data.train.labels, minlength=data.num_classes)
    test = torch.bincount(data.test.labels, minlength=data.num_classes)
    passes, memory, seen, trained = 0.0, 0, 0, 0
    remembers = run.strategy.needs_buffer and run.condenser is not None
    plan, planned = (run.plan().steps(), run.plan().clouds()) if remembers else ([], [])
    for step, size in enumerate(run.classes_per_step):
        classes = run.order[seen : seen + size]
        seen += size
        clouds = int(train[classes].sum())
        # all seen so far, the next step's, and an untrained network on this step's
        ahead = run.order[seen : seen + sum(run.classes_per_step[step + 1 : step + 2])]
        tested = int(test[run.order[:seen]].sum() + test[ahead].sum() + test[classes].sum())
        trained += clouds
        if run.condenser is not None and remembers:
            decoded = sum(map(run.condenser.parameterization.decoded, plan[step][1]))
            passes += run.condenser.training_passes(clouds, size, decoded)
            memory = planned[step]
        passes += run.strategy.training_passes(clouds, trained, memory) + FORWARD_PASS * tested
    return passes


def _seconds_per_pass(run: ContinualRun) -> float:
    data = run.dataset
    net = Networks(run.model, data.num_classes, run.device, 0).draw("estimate")
    batch = data.train[:BATCH].to(run.device)
    for repeat in range(3):  # the first ones warm up
        if repeat == 2:
            start = time.perf_counter()
        nn.functional.cross_entropy(net(batch.points), batch.labels).backward()
        next(net.parameters()).detach().cpu()  # waits for the device
    return (time.perf_counter() - start) / len(batch)
