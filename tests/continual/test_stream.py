"""Streams, buffer and plugin on Avalanche."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import EWC, LwF, Naive, Replay

from cl3d.clouds import PointClouds
from cl3d.continual import (
    CondensedBuffer,
    CondensedReplay,
    class_incremental,
    class_order,
    experience_clouds,
    split_classes,
)
from cl3d.continual.benchmark import CloudDataset
from cl3d.data import Dataset
from cl3d.distill import Budget, presets
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 11), head=(7,))


def small_dataset(classes: int = 7, per_class: int = 5) -> Dataset:
    labels = tuple(range(classes))
    names = tuple(f"class {label}" for label in labels)
    train = blobs(per_class=per_class, labels=labels)
    test = blobs(per_class=3, labels=labels)
    return Dataset("blobs", train, test.with_points(test.points + 0.01), names)


@pytest.mark.parametrize(
    ("classes", "steps"), [(40, 10), (40, 5), (216, 10), (156, 5), (7, 7), (7, 1), (7, 3)]
)
def test_uneven_splits_drop_no_class(classes, steps):
    sizes = split_classes(classes, steps)
    assert len(sizes) == steps
    assert sum(sizes) == classes
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("steps", [0, 8, -1])
def test_impossible_steps_are_refused(steps):
    with pytest.raises(InputError, match="1 to 7"):
        split_classes(7, steps)


def test_the_stream_has_every_cloud_once_with_its_label():
    dataset = small_dataset()
    order = class_order(7, seed=3)
    benchmark = class_incremental(dataset, 3, order)
    seen = [experience_clouds(experience) for experience in benchmark.train_stream]
    assert [sorted(clouds.classes) for clouds in seen] == [
        sorted(order[:3]),
        sorted(order[3:5]),
        sorted(order[5:]),
    ]
    points = torch.cat([clouds.points for clouds in seen])
    assert len(points) == len(dataset.train)
    for clouds in seen:
        for label in clouds.classes:
            assert torch.equal(
                clouds.of_class(label).points.sum(dim=(1, 2)).sort().values,
                dataset.train.of_class(label).points.sum(dim=(1, 2)).sort().values,
            )


def test_the_class_order_hangs_on_the_seed_alone():
    state = torch.get_rng_state()
    assert class_order(40, 0) == class_order(40, 0) != class_order(40, 1)
    class_incremental(small_dataset(), 2, class_order(7, 0))
    assert torch.equal(state, torch.get_rng_state())


def test_a_class_without_test_clouds_is_named():
    dataset = small_dataset()
    broken = Dataset("blobs", dataset.train, dataset.test.of_classes(range(6)), dataset.class_names)
    with pytest.raises(InputError, match="no test clouds of class 6"):
        class_incremental(broken, 2, range(7))


def buffer_for(condenser, budget=None, **kwargs):
    return CondensedBuffer(condenser, budget or Budget(ppc=2), SMALL, **kwargs)


def test_the_buffer_holds_each_class_at_its_budget():
    buffer = buffer_for(presets.random())
    for experience in class_incremental(small_dataset(), 3, range(7)).train_stream:
        buffer.post_adapt(None, experience)
    assert buffer.nbytes == 7 * 2 * 13 * 12
    (clouds,) = buffer.clouds()
    assert torch.bincount(clouds.labels).tolist() == [2] * 7
    assert len(buffer.buffer) == 14
    assert sorted(buffer.buffer.targets) == clouds.labels.tolist()
    assert buffer.buffer is buffer.buffer


@pytest.mark.parametrize("classes", [5, 7])
def test_a_budget_in_bytes_is_for_the_whole_memory(classes):
    budget = Budget(nbytes=classes * 2 * 13 * 12 + 5)
    buffer = buffer_for(presets.random(), budget, total_classes=classes)
    for experience in class_incremental(small_dataset(classes), 3, range(classes)).train_stream:
        buffer.post_adapt(None, experience)
        assert buffer.nbytes <= budget.nbytes
    assert buffer.nbytes == classes * 2 * 13 * 12


def test_resizing_keeps_the_most_important_clouds():
    buffer = buffer_for(presets.random(), Budget(ppc=3))
    for experience in class_incremental(small_dataset(), 3, range(7)).train_stream:
        buffer.post_adapt(None, experience)
    before = buffer.sets[0].decode().of_class(0).points
    buffer.resize(None, 10)
    assert torch.bincount(buffer.clouds()[0].labels).tolist() == [1] * 7
    assert torch.equal(buffer.sets[0].decode().of_class(0).points, before[:1])


def test_condensing_an_experience_sees_no_other_cloud():
    dataset = small_dataset()
    steps = [[4, 0, 2], [6, 1], [3, 5]]
    seen: list[PointClouds] = []

    def watching(clouds, **kwargs):
        seen.append(clouds)
        return replace(presets.pcc(), iterations=1)(clouds, **kwargs)

    buffer = buffer_for(watching)
    plugin = CondensedReplay(buffer, batch_size=4)
    strategy = stock(Naive, [plugin])
    for experience in class_incremental(dataset, 3, [label for step in steps for label in step]).train_stream:
        strategy.train(experience, eval_streams=[])
    own = [dataset.train.of_classes(step) for step in steps]
    assert len(seen) == 3
    for clouds, expected in zip(seen, own, strict=True):
        assert len(clouds) == len(expected)
        known = {row.numpy().tobytes() for row in expected.points}
        assert {row.numpy().tobytes() for row in clouds.points} == known


def stock(strategy_class, plugins, **kwargs):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = SMALL(7)
    return strategy_class(
        model=net,
        optimizer=torch.optim.SGD(net.parameters(), lr=0.01),
        criterion=torch.nn.CrossEntropyLoss(),
        train_mb_size=8,
        train_epochs=1,
        eval_mb_size=8,
        plugins=plugins,
        evaluator=EvaluationPlugin(),
        **kwargs,
    )


@pytest.mark.parametrize(
    ("strategy_class", "kwargs"),
    [(Naive, {}), (EWC, {"ewc_lambda": 1.0}), (LwF, {"alpha": 1.0, "temperature": 2.0})],
)
def test_the_plugin_works_in_stock_strategies(strategy_class, kwargs):
    buffer = buffer_for(presets.random())
    strategy = stock(strategy_class, [CondensedReplay(buffer, batch_size=5)], **kwargs)
    benchmark = class_incremental(small_dataset(), 3, range(7))
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=[])
    strategy.eval(benchmark.test_stream)
    assert len(buffer.sets) == 3


def test_the_plugin_adds_exactly_the_memorys_loss():
    buffer = buffer_for(presets.random())
    plugin = CondensedReplay(buffer, batch_size=1000, weight=0.5)
    strategy = stock(Naive, [plugin])
    benchmark = class_incremental(small_dataset(), 3, range(7))
    buffer.post_adapt(None, benchmark.train_stream[0])
    plugin.before_training_epoch(strategy)
    strategy.model.eval()
    strategy.loss = torch.tensor(2.0)
    plugin.before_backward(strategy)
    (clouds,) = buffer.clouds()
    expected = 2.0 + 0.5 * torch.nn.functional.cross_entropy(strategy.model(clouds.points), clouds.labels)
    assert torch.allclose(strategy.loss, expected)


def test_the_buffer_serves_strategies_that_read_it_themselves():
    buffer = buffer_for(presets.random())
    benchmark = class_incremental(small_dataset(), 3, range(7))
    for experience in benchmark.train_stream[:2]:
        buffer.post_adapt(None, experience)
    strategy = stock(Replay, [], mem_size=3)
    strategy.plugins[0].storage_policy = buffer
    strategy.train(benchmark.train_stream[2], eval_streams=[])
    assert len(buffer.sets) == 3


def test_a_benchmark_made_elsewhere_is_understood():
    dataset = small_dataset()
    benchmark = class_incremental_benchmark(
        {"train": CloudDataset(dataset.train), "test": CloudDataset(dataset.test)},
        class_order=list(range(7)),
        num_classes_per_exp=[3, 4],
    )
    assert experience_clouds(benchmark.train_stream[1]).classes == [3, 4, 5, 6]
