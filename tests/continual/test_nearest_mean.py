"""The memory as a nearest-mean classifier: by hand, in strategies, in whole runs."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Naive as StockNaive
from killed import Killed, killed_at
from torch import nn

from cl3d.continual import (
    CondensedBuffer,
    CondensedReplay,
    ContinualRun,
    Naive,
    NearestMeanEvaluation,
    Rehearse,
    Scratch,
    class_incremental,
)
from cl3d.data import shapes40
from cl3d.distill import Budget, NearestMean, Training, presets
from cl3d.errors import InputError
from cl3d.models import PointNet, PointNetSegmentation
from cl3d.ops import naive
from cl3d.random import isolated

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
QUICK = Training(epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def data():
    return shapes40(num_points=32, num_classes=5, train_per_class=5, test_per_class=3)


def net(classes: int = 5) -> PointNet:
    with isolated(0, "net"):
        return SMALL(classes).eval()


def test_it_is_the_twin_of_the_networks_features_over_all_resolutions(data):
    small, coarse = data.train[:7], data.train[7:12].resample(11, torch.Generator().manual_seed(0))
    model = net()
    classifier = NearestMean(model, [small, coarse])
    features = torch.cat([model.features(group.points) for group in (small, coarse)]).detach()
    labels = torch.cat([small.labels, coarse.labels])
    means = naive.class_means(features, labels, int(labels.max()) + 1)
    expected = naive.nearest_mean_scores(model.features(data.test.points).detach(), means)
    assert torch.allclose(classifier(data.test.points), expected, atol=1e-5)


def test_a_network_in_training_is_left_as_it_is(data):
    model = net().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    scores = NearestMean(model, [data.train])(data.test.points)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not scores.requires_grad
    assert torch.equal(scores, NearestMean(model.eval(), [data.train])(data.test.points))


def test_what_cannot_be_used_is_refused(data):
    with pytest.raises(InputError, match="fill the memory first"):
        NearestMean(net(), [])
    with pytest.raises(InputError, match="num_classes=3"):
        NearestMean(net(), [data.train], num_classes=3)
    with pytest.raises(InputError, match="PointNetSegmentation is told the classes"):
        NearestMean(PointNetSegmentation(5, 9, transforms=False), [data.train])
    with pytest.raises(InputError, match="Sequential has no features"):
        NearestMean(nn.Sequential(nn.Flatten(), nn.Linear(96, 5)), [data.train])


def test_other_networks_tell_their_features(data):
    model = nn.Sequential(nn.Flatten(), nn.Linear(96, 7), nn.ReLU(), nn.Linear(7, 5))
    classifier = NearestMean(model, [data.train], features=lambda net, points: net[:3](points))
    assert classifier.means.shape == (5, 7)


def strategy_with(plugins, data):
    model = net()
    return StockNaive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=8,
        train_epochs=2,
        eval_mb_size=4,
        evaluator=EvaluationPlugin(accuracy_metrics(stream=True)),
        plugins=plugins,
    )


def test_a_stock_strategy_is_evaluated_by_it_and_trained_as_before(data):
    benchmark = class_incremental(data, 2, range(5))
    weights, accuracies = [], []
    for nearest in (False, True):
        buffer = CondensedBuffer(presets.random(), Budget(ppc=2), SMALL)
        plugins = [CondensedReplay(buffer, batch_size=4)] + [NearestMeanEvaluation(buffer)] * nearest
        strategy = strategy_with(plugins, data)
        with isolated(0, "order"):
            for experience in benchmark.train_stream:
                strategy.train(experience, eval_streams=[])
                found = strategy.eval(benchmark.test_stream)
        weights.append([p.detach().clone() for p in strategy.model.parameters()])
        accuracies.append(next(v for k, v in found.items() if k.startswith("Top1_Acc_Stream")))
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    strategy.model.eval()
    (memory,) = buffer.clouds()
    means = naive.class_means(strategy.model.features(memory.points), memory.labels, 5)
    scores = naive.nearest_mean_scores(strategy.model.features(data.test.points), means)
    expected = (scores.argmax(dim=1) == data.test.labels).float().mean()
    assert accuracies[1] == pytest.approx(float(expected))


def test_before_there_is_a_memory_the_head_decides(data):
    """As early stopping asks in the middle of the first step."""
    found = []
    for nearest in (False, True):
        buffer = CondensedBuffer(presets.random(), Budget(ppc=2), SMALL)
        strategy = strategy_with([NearestMeanEvaluation(buffer)] * nearest, data)
        found.append(strategy.eval(class_incremental(data, 2, range(5)).test_stream))
    assert found[0] == found[1]


def test_the_means_follow_the_weights_and_nothing_is_kept(data):
    buffer = CondensedBuffer(presets.random(), Budget(ppc=2), SMALL)
    buffer.add(data.train, 0)
    plugin = NearestMeanEvaluation(buffer)
    strategy = strategy_with([plugin], data)
    seen = []
    for _ in range(2):
        plugin.before_eval(strategy)
        seen.append(plugin._classifier.means)
        plugin.after_eval(strategy)
        assert plugin._classifier is None
        with torch.no_grad():
            for parameter in strategy.model.parameters():
                parameter.mul_(torch.linspace(0.5, 2.0, parameter.numel()).view_as(parameter))
    assert not torch.allclose(*seen)


def run(data, strategy, classifier="nearest_mean", **changes) -> ContinualRun:
    settings = {"budget": Budget(ppc=2), "steps": 3, "classifier": classifier} | changes
    return ContinualRun(data, SMALL, strategy, presets.random(), **settings)


STRATEGIES = [Scratch(QUICK), Rehearse(QUICK, memory_batch=4)]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_run_differs_from_the_heads_in_its_answers_alone(data, tmp_path, strategy):
    both = {
        name: run(data, strategy, name).start(tmp_path / name).to_dict()
        for name in ("softmax", "nearest_mean")
    }
    assert both["nearest_mean"]["settings"]["classifier"] == "nearest_mean"
    assert both["softmax"]["accuracy_matrix"] != both["nearest_mean"]["accuracy_matrix"]
    files = [sorted((tmp_path / name / "memory").iterdir()) for name in both]
    assert [p.read_bytes() for p in files[0]] == [p.read_bytes() for p in files[1]]
    found = both["nearest_mean"]
    pairs = zip(found["accuracy_per_step"], found["task_incremental_accuracy_per_step"], strict=True)
    assert all(0 <= accuracy <= told <= 1 for accuracy, told in pairs)
    assert found["accuracy_per_step"][0] > 1 / 3  # two classes, and no others to choose
    assert found["forward_transfer"] is None  # of classes to come there are no means
    assert found["next_step_accuracy_per_step"] == [None] * 3
    assert both["softmax"]["forward_transfer"] is not None


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
@pytest.mark.parametrize("count", [1, 3, 6])
def test_a_killed_run_goes_on_to_the_same_answers(data, tmp_path, strategy, count):
    run(data, strategy).start(tmp_path / "whole")
    with pytest.raises(Killed):
        run(data, strategy).start(tmp_path / "killed", killed_at(count))
    run(data, strategy).start(tmp_path / "killed")
    whole, killed = ((tmp_path / name / "results.json").read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_a_strategy_without_a_memory_and_another_word_are_refused(data):
    with pytest.raises(InputError, match="strategy=naive has no memory"):
        run(data, Naive(QUICK))
    with pytest.raises(InputError, match="softmax, nearest_mean"):
        run(data, STRATEGIES[0], "mean")
