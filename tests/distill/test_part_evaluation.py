"""Part segmentation is evaluated as it is said to be: figures by hand, and nets that learn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.data import shapes40
from cl3d.distill import (
    Adam,
    Augmentation,
    Networks,
    PartEvaluation,
    PointMixup,
    Training,
    distill,
    evaluate,
    fit,
    presets,
)
from cl3d.distill.part_evaluation import PartTest, parts_found
from cl3d.errors import InputError
from cl3d.models import PointNet, PointNetSegmentation, SegmentationNet
from cl3d.random import generator
from cl3d.testing.condensers import blobs

SMALL = partial(
    PointNetSegmentation, num_parts=9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
)


class Told(SegmentationNet):
    """Tells the same part of each class, whatever it sees."""

    def __init__(self, parts: list[int]) -> None:
        super().__init__()
        self.parts, self.num_parts = parts, 9
        self.classifier = nn.Linear(1, 1)  # where its parameters are

    def point_features(self, points, shape_class):
        told = torch.tensor(self.parts)[shape_class].unsqueeze(1).expand(points.shape[:2])
        return nn.functional.one_hot(told, self.num_parts).float()

    def head(self, f):
        return f


def test_figures_by_hand():
    parts = torch.tensor([[0, 0, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0], [2, 2, 3, 3]])
    clouds = PointClouds(torch.randn(4, 4, 3, generator=generator(0)), torch.tensor([0, 0, 0, 1]), parts)
    score = PartTest(clouds, [[0, 1], [2, 3]])(Told([0, 2]))
    # shapes: 3/4 and 0; 1/4 and 0; 1 and an absent part that counts 1; 1/2 and 0
    assert score.instance_miou == pytest.approx((3 / 8 + 1 / 8 + 1 + 1 / 4) / 4)
    assert score.per_class == pytest.approx({0: (3 / 8 + 1 / 8 + 1) / 3, 1: 1 / 4})
    assert score.class_miou == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert score.accuracy == pytest.approx((3 + 1 + 4 + 2) / 16)


def test_a_net_learns_the_parts_that_it_is_shown():
    data = shapes40(64, 6, 3, num_classes=3)
    model = partial(PointNetSegmentation, num_parts=data.num_parts, channels=(16, 32), hidden=(16,))
    model = partial(model, transforms=False, dropout=0.0)
    training = Training(
        epochs=25, batch_size=6, optimizer=Adam(lr=1e-2), augmentation=Augmentation(dropout=0.2)
    )
    settings = {"model": model, "runs": 2, "device": "cpu", "class_parts": data.class_parts}
    trained = evaluate(data.train, data.test, training=training, best_epoch=True, **settings)
    untrained = evaluate(data.train, data.test, training=Training(epochs=0), **settings)
    assert isinstance(trained, PartEvaluation)
    assert trained.mean > untrained.mean + 0.1
    assert trained.mean == pytest.approx(sum(trained.instance_mious) / 2)
    assert min(trained.best_epoch) >= min(trained.instance_mious)
    assert set(trained.per_class) == {0, 1, 2}
    assert "class mIoU" in str(trained)


def test_the_parts_of_classes_are_those_of_their_names():
    data = shapes40(32, 2, 2, num_classes=3)
    assert sum(data.class_parts, ()) == tuple(range(data.num_parts))
    for label, found in enumerate(parts_found(data.train, data.test)):
        assert set(found) <= set(data.class_parts[label])


def test_clouds_without_parts_and_foreign_parts_are_refused():
    clouds = blobs()
    with pytest.raises(InputError, match="no part labels"):
        evaluate(clouds.without_parts(), clouds, model=SMALL, runs=1)
    with pytest.raises(InputError, match="the test clouds: its points have no part labels"):
        evaluate(clouds, clouds.without_parts(), model=SMALL, runs=1)
    with pytest.raises(InputError, match=r"parts 0 to 8, PointNetSegmentation 4 outputs"):
        evaluate(clouds, clouds, model=partial(SMALL, num_parts=4), runs=1)
    unlabelled = replace(clouds, parts=clouds.parts.where(clouds.parts > 0, -1))
    with pytest.raises(InputError, match="part -1: number parts from 0"):
        evaluate(unlabelled, clouds, model=SMALL, runs=1)


def test_parts_of_classes_that_do_not_fit_are_refused_before_training(monkeypatch):
    clouds, other = blobs(), blobs().of_class(2)
    own = parts_found(clouds)
    absent = [[part for part in of_class if part != own[2][0]] for of_class in own]
    monkeypatch.setattr(Networks, "draw", lambda *key: pytest.fail("a network is trained"))
    for class_parts, words in (
        ([[*of_class, 9] for of_class in own], "whole numbers from 0 to 8"),
        ([[-1, *of_class] for of_class in own], "class 0 has parts"),
        ([of_class * 2 for of_class in own], "different whole numbers"),
        ([["leg"]] * 12, r"class 0 has parts \['leg'\]"),
        ([3] * 12, "class 0 has parts 3"),
        (dict(enumerate(own)), "give a list"),
        (absent, "the clouds to learn from of class 2 have parts"),
    ):
        with pytest.raises(InputError, match=words):
            evaluate(clouds, clouds, model=SMALL, runs=1, class_parts=class_parts)
    with pytest.raises(InputError, match="the test clouds of class 2 have parts"):
        evaluate(
            replace(other, parts=torch.full_like(other.parts, own[2][1])),
            other,
            model=SMALL,
            runs=1,
            class_parts=absent,
        )


def test_a_net_that_is_not_told_how_many_parts_there_are_is_refused():
    clouds = blobs()
    for work in (partial(evaluate, clouds, clouds), partial(distill, clouds, presets.random(), ppc=1)):
        with pytest.raises(InputError, match=r"partial\(PointNetSegmentation, num_parts=...\)"):
            work(model=PointNetSegmentation, device="cpu")


def test_parts_say_nothing_to_networks_that_classify():
    clouds, training = blobs(), Training(epochs=3)
    settings = {"model": partial(PointNet, channels=(5, 11), head=(7,)), "training": training, "runs": 1}
    known = evaluate(clouds, clouds, **settings)
    assert known == evaluate(clouds.without_parts(), clouds.without_parts(), **settings)


def test_mixup_is_refused():
    net = SMALL(12)
    with pytest.raises(InputError, match="mixup mixes classes"):
        fit(net, blobs(), Training(mixup=PointMixup()), 0)


def test_no_augmentation_parts_points_from_their_parts():
    # a point's coordinates say which part it is: a multiple of its own direction, far from those of others
    parts = torch.arange(12).view(1, 12).expand(5, -1) % 3
    points = 10.0 * nn.functional.one_hot(parts, 3).float()
    augment = Augmentation(dropout=0.7, angle=0.05, jitter=0.01)
    clouds = PointClouds(points, torch.zeros(5, dtype=torch.int64), parts.contiguous())
    changed = augment.of(clouds, generator(3))
    assert torch.equal(changed.points, augment(points, generator(3)))
    assert not torch.equal(changed.parts, clouds.parts)
    assert torch.equal(changed.points.argmax(dim=2), changed.parts)
