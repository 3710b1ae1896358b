"""The plugin in stock strategies, in users' own, and beside other plugins."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from avalanche.benchmarks import task_incremental_benchmark, with_classes_timeline
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import IncrementalClassifier, MultiHeadClassifier, MultiTaskModule
from avalanche.training import plugins as stock_plugins
from avalanche.training import supervised
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from avalanche.training.templates import SupervisedTemplate
from torch import nn

from cl3d.continual import CondensedBuffer, CondensedReplay, class_incremental
from cl3d.data import shapes40
from cl3d.distill import Budget, presets, with_soft_labels
from cl3d.errors import InputError, Note
from cl3d.models import PointNet
from cl3d.random import isolated
from cl3d.testing.condensers import small

CLASSES, STEPS = 5, 3
NET = partial(PointNet, channels=(5, 11), head=(7,), norm="none")
NEVER_ENOUGH = "ignore:class .* clouds, .* are asked for"
PRESETS = sorted(name for name in presets.__all__ if callable(getattr(presets, name)) and name != "citation")


@pytest.fixture(scope="module")
def data():
    return shapes40(num_points=67, num_classes=CLASSES, train_per_class=4, test_per_class=2)


@pytest.fixture(scope="module")
def benchmark(data):
    return class_incremental(data, STEPS, range(CLASSES))


class OwnLoss(SupervisedTemplate):
    """A user's strategy: another loss, and a step of its own after each epoch."""

    def criterion(self):
        return 0.7 * super().criterion() + 0.1 * self.mb_output.square().mean()

    def _after_training_epoch(self, **kwargs):
        self.epochs_seen = getattr(self, "epochs_seen", 0) + 1
        super()._after_training_epoch(**kwargs)


class OwnLoop(SupervisedTemplate):
    """A user's strategy that goes through the data by itself, and calls what plugins wait for."""

    def training_epoch(self, **kwargs):
        for batch in self.dataloader:
            self.mbatch = batch
            self._unpack_minibatch()
            self.optimizer.zero_grad()
            self.mb_output = self.forward()
            self.loss = self.criterion()
            self._before_backward(**kwargs)
            self.backward()
            self.optimizer_step()


class Deaf(SupervisedTemplate):
    """A user's strategy that tells plugins nothing of its iterations."""

    def training_epoch(self, **kwargs):
        for batch in self.dataloader:
            self.mbatch = batch
            self._unpack_minibatch()
            self.optimizer.zero_grad()
            self.criterion_of(self.forward()).backward()
            self.optimizer_step()

    def criterion_of(self, output):
        return nn.functional.cross_entropy(output, self.mb_y)


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
    "own loss": OwnLoss,
    "own loop": OwnLoop,
}


def build(strategy, plugins, net=None, **settings):
    if net is None:
        with isolated(0, "net"):
            net = NET(CLASSES)
    defaults = {
        "train_mb_size": 5,
        "train_epochs": 2,
        "eval_mb_size": 8,
        "criterion": nn.CrossEntropyLoss(),
        "evaluator": EvaluationPlugin(),
    }
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    return strategy(model=net, optimizer=optimizer, plugins=plugins, **(defaults | settings))


def memory(condenser=None, **settings) -> CondensedBuffer:
    return CondensedBuffer(condenser or presets.random(), Budget(ppc=2), NET, **settings)


class Probe(SupervisedPlugin):
    """The gradient that a strategy's loss has at this point of ``before_backward``."""

    def __init__(self):
        super().__init__()
        self.gradients = []

    def before_backward(self, strategy, **kwargs):
        found = torch.autograd.grad(
            strategy.loss, list(strategy.model.parameters()), retain_graph=True, allow_unused=True
        )
        flat = zip(found, strategy.model.parameters(), strict=True)
        self.gradients.append(
            torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in flat])
        )


class Expected(SupervisedPlugin):
    """The gradient of the mean loss on the whole memory, by hand."""

    def __init__(self, buffer):
        super().__init__()
        self.buffer, self.gradients = buffer, []

    def before_backward(self, strategy, **kwargs):
        weights = list(strategy.model.parameters())
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
    strategy = build(STRATEGIES[name], [before, replay, after, expected])
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


def test_a_network_with_a_head_for_each_task_is_told_the_task_by_collate(benchmark):
    class Heads(MultiTaskModule):
        def __init__(self):
            super().__init__()
            self.body, self.heads = NET(3), MultiHeadClassifier(11, CLASSES, masking=False)

        def forward(self, x, task_labels):
            asked.append(set(task_labels.tolist()))
            return self.heads(self.body.features(x), task_labels)

    def by_class(items):
        points, targets, _ = zip(*items, strict=True)
        labels = torch.stack(targets)
        return torch.stack(points), labels, labels // 2  # two classes to each task

    asked: list[set[int]] = []
    net = Heads()
    replay = CondensedReplay(memory(), batch_size=4, collate=by_class)
    strategy = build(supervised.Naive, [replay], net=net, train_epochs=1)
    tasks = with_classes_timeline(task_incremental_benchmark(benchmark, reset_task_labels=True))
    for experience in tasks.train_stream:
        strategy.train(experience, eval_streams=[])
    assert asked[0] == {0}
    assert {0, 1} in asked, "the memory of two tasks while the third is learnt"


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
