"""The plugin in stock strategies, in users' own, and beside other plugins."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models.base_model import BaseModel
from avalanche.training import plugins as stock_plugins
from avalanche.training import supervised
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from tiny_stream import CLASSES, NET, NEVER_ENOUGH, STEPS, Deaf, OwnLoop, OwnLoss, build, memory
from torch import nn

from cl3d.continual import CondensedReplay
from cl3d.distill import presets
from cl3d.errors import InputError, Note
from cl3d.random import isolated
from cl3d.testing.condensers import small

RESERVOIRS = {"reservoir", "balanced_reservoir"}
"""These have one set for the whole stream, under a total: tests/continual/test_totals.py."""
PRESETS = sorted(set(presets.__all__) - RESERVOIRS - {"citation", "PAPERS"})

STRATEGIES = {
    "naive": supervised.Naive,
    "cumulative": supervised.Cumulative,
    "lwf": partial(supervised.LwF, alpha=1.0, temperature=2.0),
    "ewc": partial(supervised.EWC, ewc_lambda=1.0),
    "si": partial(supervised.SynapticIntelligence, si_lambda=1.0),
    "mas": partial(supervised.MAS, verbose=False),
    "agem": partial(supervised.AGEM, patterns_per_exp=3, sample_size=3),
    "replay": partial(supervised.Replay, mem_size=4),
    "der": partial(supervised.DER, mem_size=8, batch_size_mem=4),
    "gem": partial(supervised.GEM, patterns_per_exp=3),
    "gdumb": partial(supervised.GDumb, mem_size=6),
    "er_ace": partial(supervised.ER_ACE, mem_size=6, batch_size_mem=4),
    "mir": partial(supervised.MIR, mem_size=6, subsample=4, batch_size_mem=3),
    "lfl": partial(supervised.LFL, lambda_e=0.1),
    "own loss": OwnLoss,
    "own loop": OwnLoop,
}


class WithFeatures(BaseModel, nn.Module):
    """The network as LFL asks for it."""

    def __init__(self):
        super().__init__()
        self.net = NET(CLASSES)

    def forward(self, points):
        return self.net(points)

    def get_features(self, points):
        return self.net.features(points)


def learnt(strategy):
    """The weights that are trained: LFL freezes those of the head."""
    return [weight for weight in strategy.model.parameters() if weight.requires_grad]


class Probe(SupervisedPlugin):
    """The gradient that a strategy's loss has at this point of ``before_backward``."""

    def __init__(self):
        super().__init__()
        self.gradients = []

    def before_backward(self, strategy, **kwargs):
        found = torch.autograd.grad(strategy.loss, learnt(strategy), retain_graph=True, allow_unused=True)
        flat = zip(found, learnt(strategy), strict=True)
        self.gradients.append(
            torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in flat])
        )


class Expected(SupervisedPlugin):
    """The gradient of the mean loss on the whole memory, by hand."""

    def __init__(self, buffer):
        super().__init__()
        self.buffer, self.gradients = buffer, []

    def before_backward(self, strategy, **kwargs):
        weights = learnt(strategy)
        losses = [
            nn.functional.cross_entropy(strategy.model(group.points), group.labels, reduction="none")
            for group in self.buffer.clouds()
        ]
        if not losses:
            self.gradients.append(torch.zeros(sum(w.numel() for w in weights)))
            return
        found = torch.autograd.grad(torch.cat(losses).mean(), weights)
        self.gradients.append(torch.cat([g.flatten() for g in found]))


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_memorys_gradient_is_added_in_every_iteration_of_every_strategy(benchmark, name):
    buffer = memory()
    before, after, expected = Probe(), Probe(), Expected(buffer)
    replay = CondensedReplay(buffer, batch_size=1000, weight=0.5)
    with isolated(0, "net"):
        net = WithFeatures() if name == "lfl" else NET(CLASSES)
    strategy = build(STRATEGIES[name], [before, replay, after, expected], net)
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=[])
    strategy.eval(benchmark.test_stream)
    assert len(buffer.sets) == STEPS
    assert [sorted(s.clouds_per_class) for s in buffer.sets] == [[0, 1], [2, 3], [4]]
    first = len(before.gradients) - sum(bool(g.any()) for g in expected.gradients)
    assert 0 < first < len(before.gradients)
    for g0, g1, e in zip(before.gradients, after.gradients, expected.gradients, strict=True):
        assert torch.allclose(g1 - g0, 0.5 * e, atol=1e-5)


@pytest.mark.filterwarnings(NEVER_ENOUGH)
@pytest.mark.parametrize("name", PRESETS)
def test_every_condenser_fills_the_memory_and_teaches(benchmark, name):
    buffer = memory(small(getattr(presets, name)()))
    strategies = []
    for weight in (0.0, 1.0):
        buffer.restore([])
        replay = CondensedReplay(buffer, batch_size=4, weight=weight)
        strategy = build(supervised.Naive, [replay], train_epochs=1)
        for experience in benchmark.train_stream[:2]:
            strategy.train(experience, eval_streams=[])
        strategies.append(strategy)
        assert len(buffer.sets) == 2
    without, with_memory = (list(strategy.model.parameters()) for strategy in strategies)
    assert any(not torch.equal(a, b) for a, b in zip(without, with_memory, strict=True))


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"batch_size": 0}, "batch_size=0"), ({"weight": -1.0}, "weight=-1"), ({"batch_size": 2.5}, "whole")],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        CondensedReplay(memory(), **settings)


def test_a_loop_that_never_asks_its_plugins_is_noted(benchmark):
    strategy = build(Deaf, [CondensedReplay(memory())])
    strategy.train(benchmark.train_stream[0], eval_streams=[])
    with pytest.warns(Note, match="Deaf has learnt a step without the memory"):
        strategy.train(benchmark.train_stream[1], eval_streams=[])


def test_it_plays_with_other_plugins(data, benchmark):
    """LwF, a schedule and early stopping on a test stream, together."""
    evaluator = EvaluationPlugin(accuracy_metrics(stream=True))
    buffer = memory()

    class Rates(SupervisedPlugin):
        def after_training_epoch(self, strategy, **kwargs):
            rates.append(strategy.optimizer.param_groups[0]["lr"])

    rates: list[float] = []
    net = NET(CLASSES)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    strategy = supervised.Naive(
        model=net,
        optimizer=optimizer,
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=5,
        train_epochs=6,
        eval_mb_size=8,
        eval_every=1,
        evaluator=evaluator,
        plugins=[
            stock_plugins.LwFPlugin(alpha=1.0, temperature=2.0),
            CondensedReplay(buffer, batch_size=4),
            stock_plugins.LRSchedulerPlugin(schedule, reset_lr=True),
            stock_plugins.EarlyStoppingPlugin(patience=2, val_stream_name="test_stream", margin=2.0),
            Rates(),
        ],
    )
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=[benchmark.test_stream[:1]])
    assert len(buffer.sets) == STEPS
    # a margin that no accuracy reaches: stopped after the first epochs of each step, the rate halved in each
    assert len(rates) < STEPS * 6
    assert len(set(rates)) > 1
