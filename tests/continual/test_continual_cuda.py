"""The continual side on CUDA: runs, and gives nearly the same; skipped where there is no device."""

from __future__ import annotations

import pytest
import torch
from avalanche.training import supervised
from tiny_stream import CLASSES, NET, NEVER_ENOUGH, STEPS, build, memory
from torch import nn

from cl3d.continual import CondensedReplay, ContinualRun, NearestMeanEvaluation, Rehearse, Scratch
from cl3d.distill import Budget, NearestMean, Training, presets, with_soft_labels
from cl3d.random import isolated
from cl3d.testing.condensers import small

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings(NEVER_ENOUGH),
]


@pytest.mark.parametrize("classifier", ["softmax", "nearest_mean"])
@pytest.mark.parametrize("strategy", [Scratch, Rehearse])
def test_a_run_goes_through(data, tmp_path, strategy, classifier):
    run = ContinualRun(
        data,
        NET,
        strategy(Training(epochs=1, batch_size=8)),
        small(presets.pcc()),
        Budget(ppc=2),
        STEPS,
        device=torch.device("cuda"),
        classifier=classifier,
    )
    assert len(run.start(tmp_path).steps) == STEPS


def test_a_mixed_memory_with_soft_labels_is_rehearsed(data, benchmark):
    sets = [
        condenser(data.train.of_class(label), budget=Budget(ppc=2), model=NET)
        for label, condenser in enumerate(map(small, (presets.random(), presets.morphing(), presets.dd3d())))
    ]
    with isolated(0, "teacher"):
        teacher = NET(CLASSES).cuda()
    losses = []
    for device in ("cpu", "cuda"):
        buffer = memory()
        buffer.restore([with_soft_labels(sets[0], teacher), *sets[1:]])
        replay = CondensedReplay(buffer, batch_size=9)
        strategy = build(supervised.Naive, [replay, NearestMeanEvaluation(buffer)], device=device)
        strategy.model.to(device)
        replay.before_training_epoch(strategy)
        strategy.loss = torch.zeros((), device=device)
        replay.before_backward(strategy)
        losses.append(strategy.loss.item())
        strategy.train(benchmark.train_stream[0], eval_streams=[])
        strategy.eval(benchmark.test_stream)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_nearest_means_are_those_of_the_cpu(data):
    with isolated(0, "net"):
        net: nn.Module = NET(CLASSES)
    cpu = NearestMean(net, [data.train])(data.test.points)
    cuda = NearestMean(net.cuda(), [data.train])(data.test.points.cuda())
    assert torch.allclose(cpu, cuda.cpu(), atol=1e-4)
