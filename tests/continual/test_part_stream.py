"""Streams of part segmentation: what they carry, what is recorded, what a memory's loss is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from avalanche.training.plugins import EvaluationPlugin, LwFPlugin
from avalanche.training.supervised import Naive
from tiny_parts import CLASSES, GROUPS, ORDER, STEPS, a_net, model_for, stock
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.continual import (
    CondensedBuffer,
    CondensedReplay,
    PartRecorder,
    class_incremental,
    experience_clouds,
)
from cl3d.continual.benchmark import CloudDataset
from cl3d.data import Dataset, shapes40
from cl3d.distill import Budget, Training, fit, presets
from cl3d.distill.part_evaluation import PartTest
from cl3d.errors import InputError
from cl3d.models import SegmentationNet

pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")


def test_the_stream_carries_parts_where_they_are_asked_for(shapes):
    benchmark = class_incremental(shapes, STEPS, ORDER, parts=True)
    for stream, clouds in ((benchmark.train_stream, shapes.train), (benchmark.test_stream, shapes.test)):
        for experience, group in zip(stream, GROUPS, strict=True):
            found, expected = experience_clouds(experience), clouds.of_classes(group)
            assert torch.equal(found.parts, expected.parts)
            assert torch.equal(found.points, expected.points)
    plain = class_incremental(shapes, STEPS, ORDER)
    assert experience_clouds(plain.train_stream[0]).parts is None
    assert len(plain.train_stream[0].dataset[0]) == 3
    without = replace(shapes, train=shapes.train.without_parts())
    with pytest.raises(InputError, match="shapes40 has no part labels"):
        class_incremental(without, STEPS, ORDER, parts=True)


def test_recorded_figures_are_those_of_the_test(shapes):
    """Over a network that has learnt a little, figure by figure and step by step."""
    benchmark = class_incremental(shapes, STEPS, ORDER, parts=True)
    recorder = PartRecorder(shapes.class_parts)
    strategy = stock(shapes, recorder)
    fit(strategy.model, shapes.train, Training(epochs=20, batch_size=8), 0)
    strategy.eval(benchmark.test_stream[:2])
    seen = shapes.test.of_classes(GROUPS[0] + GROUPS[1])
    expected = PartTest(seen, shapes.class_parts)(strategy.model)
    assert recorder.told.score() == expected
    assert 0.1 < expected.instance_miou < 1
    for figure in ("instance_miou", "class_miou", "accuracy"):
        each = [
            PartTest(shapes.test.of_classes(group), shapes.class_parts)(strategy.model) for group in GROUPS
        ]
        wanted = (*(getattr(score, figure) for score in each[:2]), None)
        assert recorder.row(figure, GROUPS) == pytest.approx(wanted)
    strategy.eval(benchmark.test_stream[2:])
    assert recorder.ahead() == each[2]


class Told(SegmentationNet):
    """Gives logits that are the same for all points of all shapes."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.num_shapes, self.num_parts = 2, len(logits)
        self.classifier = nn.Linear(1, 1)
        self.logits = torch.tensor(logits)

    def point_features(self, points, shape_class):
        return self.logits.expand(*points.shape[:2], -1)

    def head(self, f):
        return f + 0 * self.classifier.weight.sum()


def two_classes() -> Dataset:
    """Class 0 has parts 0 and 1, class 1 part 2 alone; of four points."""
    parts = torch.tensor([[0, 0, 0, 1], [0, 1, 1, 1], [2, 2, 2, 2]])
    points = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(0))
    clouds = PointClouds(points, torch.tensor([0, 0, 1]), parts)
    return Dataset("two", clouds, clouds, ("a", "b"), ("a/0", "a/1", "b/2"))


def test_parts_of_other_classes_stand_to_choice_once_they_are_seen():
    data = two_classes()
    recorder = PartRecorder(data.class_parts)
    strategy = stock(shapes40(8, 1, 1, num_classes=2), recorder)
    strategy.model = Told([1.0, 0.0, 2.0])  # part 2 leads, then part 0
    stream = class_incremental(data, 2, [0, 1], parts=True).test_stream
    strategy.eval(stream[:1])
    of_a = ((3 / 4) / 2 + (1 / 4) / 2) / 2
    assert recorder.told.score().instance_miou == pytest.approx(of_a)
    assert recorder.among_seen.score() == recorder.told.score(), "part 2 has not been seen"
    strategy.eval(stream)
    # a class of one part is always right where the class is told
    assert recorder.told.score().instance_miou == pytest.approx((2 * of_a + 1) / 3)
    assert recorder.told.score().class_miou == pytest.approx((of_a + 1) / 2)
    assert recorder.told.score().accuracy == pytest.approx((3 + 1 + 4) / 12)
    assert recorder.among_seen.score().per_class == {0: 0.0, 1: 1.0}
    assert recorder.among_seen.score().accuracy == pytest.approx(4 / 12)


def test_the_memorys_loss_is_the_mean_over_its_points(shapes):
    buffer = CondensedBuffer(presets.random(), Budget(ppc=2), model_for(shapes))
    replay = CondensedReplay(buffer, batch_size=1000, weight=0.5)
    strategy = stock(shapes, replay)
    benchmark = class_incremental(shapes, STEPS, ORDER, parts=True)
    buffer.post_adapt(None, benchmark.train_stream[0])
    replay.before_training_epoch(strategy)
    strategy.model.eval()
    strategy.loss = torch.tensor(2.0)
    replay.before_backward(strategy)
    (clouds,) = buffer.clouds()
    logits = strategy.model(clouds.points, clouds.labels)
    by_hand = [
        -logits[shape, point].log_softmax(dim=0)[clouds.parts[shape, point]]
        for shape in range(len(clouds))
        for point in range(clouds.num_points)
    ]
    assert strategy.loss.item() == pytest.approx(2.0 + 0.5 * torch.stack(by_hand).mean().item(), rel=1e-5)


def test_a_stock_strategy_segments_with_its_own_criterion(shapes):
    recorder = PartRecorder(shapes.class_parts)
    buffer = CondensedBuffer(presets.random(), Budget(ppc=1), model_for(shapes))
    shapes_of_losses = []

    def criterion(logits, targets):
        shapes_of_losses.append((tuple(logits.shape[1:]), tuple(targets.shape[1:])))
        return nn.functional.cross_entropy(logits, targets, label_smoothing=0.1)

    strategy = stock(shapes, CondensedReplay(buffer, batch_size=5), recorder, criterion=criterion)
    benchmark = class_incremental(shapes, STEPS, ORDER, parts=True)
    before = [p.clone() for p in strategy.model.parameters()]
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=[])
    strategy.eval(benchmark.test_stream)
    assert any(not torch.equal(a, b) for a, b in zip(before, strategy.model.parameters(), strict=True))
    assert set(shapes_of_losses) == {((shapes.num_parts, 48), (48,))}
    assert recorder.told.score().per_class.keys() == set(range(CLASSES))
    assert len(buffer.buffer) == CLASSES
    assert isinstance(buffer.buffer[0][2], torch.Tensor), "its items are those of the stream"


def test_a_stream_without_parts_is_told_how_to_have_them(shapes):
    strategy = stock(shapes)
    with pytest.raises(InputError, match=r"class_incremental\(dataset, steps, order, parts=True\)"):
        strategy.train(class_incremental(shapes, STEPS, ORDER).train_stream[0], eval_streams=[])


def test_strategies_that_do_not_tell_the_classes_are_told_what_works(shapes):
    penalised = stock(shapes, LwFPlugin(alpha=1.0, temperature=2.0))
    train = class_incremental(shapes, STEPS, ORDER, parts=True).train_stream
    penalised.train(train[0], eval_streams=[])
    with pytest.raises(InputError, match="PointNetSegmentation is given clouds without their classes"):
        penalised.train(train[1], eval_streams=[])
    net = a_net(shapes)
    plain = Naive(net, torch.optim.SGD(net.parameters(), lr=0.05), evaluator=EvaluationPlugin())
    with pytest.raises(InputError, match="put SegmentsParts before the strategy"):
        plain.train(train[0], eval_streams=[])


def test_memories_without_parts_and_collate_are_refused(shapes):
    benchmark = class_incremental(shapes, STEPS, ORDER, parts=True)
    for settings, words in (
        ({"collate": lambda items: items}, "leave collate out"),
        ({}, "the memory: its points have no part labels"),
    ):
        buffer = CondensedBuffer(presets.random(), Budget(ppc=1))  # of networks that classify
        strategy = stock(shapes, CondensedReplay(buffer, **settings))
        strategy.train(benchmark.train_stream[0], eval_streams=[])
        with pytest.raises(InputError, match=words):
            strategy.train(benchmark.train_stream[1], eval_streams=[])


def test_items_of_other_benchmarks_are_not_taken_for_parts(shapes):
    class Experience:
        dataset = CloudDataset(shapes.train)
        current_experience = 0

    assert experience_clouds(Experience).parts is not None
    for third in (torch.zeros(48), torch.zeros(47, dtype=torch.int64), 0, torch.tensor(0)):
        items = [(*CloudDataset(shapes.train)[i][:2], third) for i in range(3)]
        Experience.dataset = items
        assert experience_clouds(Experience).parts is None
