"""What a memory may hold and a network may take: resolutions, soft labels, layouts, heads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from avalanche.benchmarks import task_incremental_benchmark, with_classes_timeline
from avalanche.models import IncrementalClassifier, MultiHeadClassifier, MultiTaskModule
from avalanche.training import supervised
from avalanche.training.plugins import SupervisedPlugin
from tiny_stream import CLASSES, NET, NEVER_ENOUGH, build, memory
from torch import nn

from cl3d.continual import CondensedBuffer, CondensedReplay
from cl3d.distill import Budget, presets, with_soft_labels
from cl3d.errors import InputError
from cl3d.random import isolated
from cl3d.testing.condensers import small


def mixed_sets(data):
    """Clouds of 67 points, anchors of fewer, a generator, and coarse clouds with soft labels."""
    condensers = [
        presets.random(),
        small(presets.morphing()),
        small(presets.dd3d()),
        presets.random_coarse(num_points=11),
        presets.random(),
    ]
    sets = [
        condenser(data.train.of_class(label), budget=Budget(ppc=2), model=NET)
        for label, condenser in enumerate(condensers)
    ]
    with isolated(0, "teacher"):
        sets[3] = with_soft_labels(sets[3], NET(CLASSES), classes=[0, 3, 4])
    return sets


class Shapes(SupervisedPlugin):
    """Shapes of all that a network takes."""

    def __init__(self, net):
        super().__init__()
        self.seen = []
        net.register_forward_pre_hook(lambda _, inputs: self.seen.append(tuple(inputs[0].shape)))


@pytest.mark.filterwarnings(NEVER_ENOUGH)
def test_one_memory_holds_clouds_of_several_resolutions_hard_and_soft(data, benchmark):
    buffer = memory()
    buffer.restore(mixed_sets(data))
    groups = buffer.clouds()
    sizes = {group.num_points: len(group) for group in groups}
    assert len(sizes) == 3
    assert {11, 67} < set(sizes)
    assert [group.soft_labels is not None for group in groups] == [size == 11 for size in sizes]

    replay = CondensedReplay(buffer, batch_size=1000)
    strategy = build(supervised.Naive, [replay], train_epochs=1)
    shapes = Shapes(strategy.model)
    replay.before_training_epoch(strategy)
    strategy.loss = torch.zeros(())
    replay.before_backward(strategy)
    assert sorted(shapes.seen) == sorted((count, size, 3) for size, count in sizes.items())
    draws = [replay._groups[i] for i in range(3)]
    expected = torch.cat(
        [
            nn.functional.cross_entropy(
                strategy.model(group.points), group.targets(CLASSES), reduction="none"
            )
            for group in draws
        ]
    ).mean()
    assert torch.allclose(strategy.loss, expected)
    strategy.loss.backward()
    assert all(bool(p.grad.any()) for p in strategy.model.parameters())
    strategy.train(benchmark.train_stream[0], eval_streams=[])


@pytest.mark.filterwarnings(NEVER_ENOUGH)
def test_generators_draw_afresh_in_each_epoch_and_the_rest_stays(data, benchmark):
    buffer = memory()
    buffer.restore(mixed_sets(data))
    decoded = []

    class Watch(SupervisedPlugin):
        def before_training_epoch(self, strategy, **kwargs):
            decoded.append(
                {
                    int(label): group.of_class(int(label)).points
                    for group in replay._groups
                    for label in group.labels.unique()
                }
            )

    replay = CondensedReplay(buffer)
    build(supervised.Naive, [replay, Watch()]).train(benchmark.train_stream[0], eval_streams=[])
    first, second = decoded
    assert {label: torch.equal(first[label], second[label]) for label in first} == {
        0: True,
        1: True,
        2: False,
        3: True,
        4: True,
    }


class ChannelsFirst(nn.Module):
    """Takes (b, 3, p), as many public networks do."""

    def __init__(self):
        super().__init__()
        self.net = NET(CLASSES)

    def forward(self, points):
        assert points.shape[1] == 3, "points are not channels first"
        return self.net(points.transpose(1, 2))


@pytest.mark.filterwarnings(NEVER_ENOUGH)
def test_collate_makes_what_the_network_takes(data, benchmark):
    def channels_first(items):
        points, targets, tasks = zip(*items, strict=True)
        return torch.stack(points).transpose(1, 2), torch.stack(targets), torch.tensor(tasks)

    with isolated(0, "net"):
        net = ChannelsFirst()
    losses = []
    for model, collate in ((net.net, None), (net, channels_first)):
        buffer = memory()
        buffer.restore(mixed_sets(data))
        replay = CondensedReplay(buffer, batch_size=9, collate=collate)
        strategy = build(supervised.Naive, [replay], net=model)
        replay.before_training_epoch(strategy)
        strategy.loss = torch.zeros(())
        replay.before_backward(strategy)
        losses.append(strategy.loss)
    assert torch.equal(*losses)
    replay.collate = lambda items: torch.zeros(3)
    with pytest.raises(InputError, match="collate gave no"):
        replay.before_backward(strategy)


class Heads(MultiTaskModule):
    """A head for each task; ``asked``: the tasks of each batch."""

    def __init__(self):
        super().__init__()
        self.body, self.heads = NET(3), MultiHeadClassifier(11, CLASSES, masking=False)
        self.asked: list[set[int]] = []

    def forward(self, x, task_labels):
        self.asked.append(set(task_labels.tolist()))
        return self.heads(self.body.features(x), task_labels)


@pytest.fixture
def tasks(benchmark):
    """The stream, each step a task of its own."""
    return with_classes_timeline(task_incremental_benchmark(benchmark, reset_task_labels=True))


def test_a_network_with_a_head_for_each_task_is_told_the_task_by_collate(tasks):
    def by_class(items):
        points, targets, _ = zip(*items, strict=True)
        labels = torch.stack(targets)
        return torch.stack(points), labels, labels // 2  # two classes to each task

    replay = CondensedReplay(memory(), batch_size=4, collate=by_class)
    strategy = build(supervised.Naive, [replay], net=Heads(), train_epochs=1)
    for experience in tasks.train_stream:
        strategy.train(experience, eval_streams=[])
    assert strategy.model.asked[0] == {0}
    assert {0, 1} in strategy.model.asked, "the memory of two tasks while the third is learnt"


def test_a_memory_without_tasks_is_refused_by_a_network_with_a_head_for_each(tasks):
    strategy = build(supervised.Naive, [CondensedReplay(memory())], net=Heads(), train_epochs=1)
    strategy.train(tasks.train_stream[0], eval_streams=[])
    with pytest.raises(InputError, match="give a collate that returns"):
        strategy.train(tasks.train_stream[1], eval_streams=[])


def test_the_criterion_of_the_memory_can_be_another(benchmark):
    """As DER compares logits: here with a squared distance to one-hot labels."""
    buffer = memory()
    buffer.post_adapt(None, benchmark.train_stream[0])

    def squared(logits, targets):
        return (logits - nn.functional.one_hot(targets, CLASSES)).square().mean()

    replay = CondensedReplay(buffer, batch_size=1000, criterion=squared)
    strategy = build(supervised.Naive, [replay])
    replay.before_training_epoch(strategy)
    strategy.loss = torch.zeros(())
    replay.before_backward(strategy)
    (group,) = buffer.clouds()
    assert torch.allclose(strategy.loss, squared(strategy.model(group.points), group.labels))


def test_no_more_than_a_batch_is_drawn_and_never_a_cloud_twice(benchmark):
    buffer = memory()
    for experience in benchmark.train_stream:
        buffer.post_adapt(None, experience)
    replay = CondensedReplay(
        buffer,
        batch_size=7,
        collate=lambda items: (
            drawn.append(items) or (torch.stack([i[0] for i in items]), torch.stack([i[1] for i in items]))
        ),
    )
    strategy = build(supervised.Naive, [replay])
    replay.before_training_epoch(strategy)
    for iteration in range(3):
        drawn: list = []
        strategy.clock.train_iterations = iteration
        strategy.loss = torch.zeros(())
        replay.before_backward(strategy)
        (items,) = drawn
        assert len({item[0].numpy().tobytes() for item in items}) == len(items) == 7


def test_a_head_that_grows_learns_from_soft_labels_of_the_classes_so_far(benchmark):
    class Growing(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = NET(3)
            self.classifier = IncrementalClassifier(11, initial_out_features=1)

        def forward(self, points):
            return self.classifier(self.body.features(points))

    def soft(clouds, **settings):
        made = presets.random()(clouds, **settings)
        with isolated(0, "teacher"):
            return with_soft_labels(made, NET(CLASSES), temperature=2.0)

    buffer = memory(soft)
    strategy = build(supervised.Naive, [CondensedReplay(buffer)], net=Growing())
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=[])
    assert strategy.model.classifier.classifier.out_features == CLASSES
    assert all(group.soft_labels is not None for group in buffer.clouds())


@pytest.mark.filterwarnings(NEVER_ENOUGH)
def test_a_loop_without_avalanche_uses_the_memory_as_a_data_set(data):
    """Steps of plain clouds, and torch's own loaders."""
    buffer = CondensedBuffer(replace(presets.dm(), iterations=1), Budget(ppc=2), NET)
    net = NET(CLASSES)
    optimizer = torch.optim.Adam(net.parameters())
    for step, classes in enumerate([[0, 1], [2, 3], [4]]):
        clouds = data.train.of_classes(classes)
        sources = [clouds, *buffer.clouds()]
        loaders = [
            torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(source.points, source.labels), batch_size=4, shuffle=True
            )
            for source in sources
        ]
        assert len(loaders) == (1 if step == 0 else 2)
        for batches in zip(*loaders, strict=False):
            optimizer.zero_grad()
            sum(nn.functional.cross_entropy(net(points), labels) for points, labels in batches).backward()
            optimizer.step()
        buffer.add(clouds, step)
    assert sorted(set(torch.cat([group.labels for group in buffer.clouds()]).tolist())) == list(range(5))
    assert {int(item[1]) for item in buffer.buffer} == set(range(5))
