"""Soft labels: on clouds, in sets, in files and in losses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from cl3d.clouds import PointClouds, concatenate, hash_clouds
from cl3d.distill import (
    Adam,
    Budget,
    SoftLabelSet,
    Training,
    evaluate,
    fit,
    load,
    presets,
    save,
    with_soft_labels,
)
from cl3d.errors import InputError
from cl3d.models import PointNet, PointNetSegmentation
from cl3d.random import generator, isolated
from cl3d.testing.condensers import blobs, check_differentiable, check_round_trip

SMALL = partial(PointNet, channels=(5, 11), head=(7,), norm="none")


def net(classes: int) -> PointNet:
    with isolated(0, "net"):
        return SMALL(classes)


def soft_clouds(n: int = 5, classes: int = 3, seed: int = 0) -> PointClouds:
    draws = generator(seed, "soft")
    points = torch.randn(n, 7, 3, generator=draws)
    soft = torch.rand(n, classes, generator=draws).softmax(dim=1)
    return PointClouds(points, torch.arange(n) % classes, soft_labels=soft)


def a_set(name: str = "random", labels: tuple[int, ...] = (2, 5, 11), **changes):
    condenser = replace(getattr(presets, name)(), **changes)
    return condenser(blobs(labels=labels, num_points=67), budget=Budget(ppc=2), model=SMALL)


def test_soft_labels_go_where_their_clouds_go():
    clouds = soft_clouds()
    assert torch.equal(clouds[torch.tensor([3, 1])].soft_labels, clouds.soft_labels[[3, 1]])
    assert torch.equal(clouds.of_class(1).soft_labels, clouds.soft_labels[[1, 4]])
    assert clouds.resample(3, generator(0)).soft_labels is clouds.soft_labels
    hard = replace(soft_clouds(2, seed=1), labels=torch.tensor([4, 0]), soft_labels=None)
    both = concatenate([clouds, hard])
    assert both.soft_labels.shape == (7, 5)
    assert torch.equal(both.soft_labels[:5, :3], clouds.soft_labels)
    assert both.soft_labels[5:].tolist() == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]
    assert concatenate([hard, hard]).soft_labels is None
    local = replace(clouds, labels=torch.tensor([2, 0, 2, 0, 2])).with_local_labels()
    assert torch.equal(local.soft_labels, clouds.soft_labels[:, [0, 2]])


def test_targets_are_labels_or_probabilities_of_all_classes():
    clouds = soft_clouds()
    wide = clouds.targets(5)
    assert torch.equal(wide[:, :3], clouds.soft_labels)
    assert not bool(wide[:, 3:].any())
    with pytest.raises(InputError, match="3 classes, a network has 2 outputs"):
        clouds.targets(2)
    assert replace(clouds, soft_labels=None).targets(5) is clouds.labels


@pytest.mark.parametrize("soft", [torch.zeros(4, 3), torch.zeros(5, 3).long(), torch.zeros(5)])
def test_shapes_and_dtypes_must_fit(soft):
    with pytest.raises(InputError, match="soft labels are"):
        replace(soft_clouds(), soft_labels=soft)


def test_soft_labels_change_the_fingerprint():
    import hashlib

    digests = []
    for clouds in (soft_clouds(), replace(soft_clouds(), soft_labels=None)):
        digest = hashlib.blake2b()
        hash_clouds(digest, clouds)
        digests.append(digest.hexdigest())
    assert digests[0] != digests[1]


@pytest.mark.filterwarnings("ignore:class .* are asked for")
@pytest.mark.parametrize("name", ["random", "coarse", "morphing", "dd3d"])
def test_every_set_can_have_them(name, tmp_path):
    parameterization = {"dd3d": {"width": 5}}.get(name, {})
    preset = getattr(presets, name)()
    changes = {"parameterization": replace(preset.parameterization, **parameterization)}
    if preset.objective is not None:
        changes |= {"iterations": 1}
    plain = a_set(name, **changes)
    teacher = net(12)
    soft = with_soft_labels(plain, teacher, temperature=2.0)
    decoded = soft.decode()
    assert torch.equal(decoded.points, plain.decode().points)
    assert torch.equal(decoded.labels, plain.labels)
    with torch.no_grad():
        clouds = decoded.points - decoded.points.mean(dim=1, keepdim=True)
        clouds = clouds / clouds.norm(dim=2).amax(dim=1)[:, None, None]
        expected = (teacher(clouds)[:, [2, 5, 11]] / 2).softmax(dim=1)
    assert torch.allclose(decoded.soft_labels[:, [2, 5, 11]], expected, atol=2e-3)
    assert torch.allclose(decoded.soft_labels.sum(dim=1), torch.ones(len(soft)))
    assert soft.nbytes == plain.nbytes + len(plain) * 3 * 2
    check_round_trip(soft)
    check_differentiable(soft)
    save(soft, tmp_path / "soft.safetensors")
    again = load(tmp_path / "soft.safetensors")
    assert isinstance(again, SoftLabelSet)
    assert torch.equal(again.decode().soft_labels, decoded.soft_labels)
    assert again.info == soft.info


def test_pruning_keeps_each_clouds_own():
    soft = with_soft_labels(a_set(), net(12))
    pruned = soft.prune(1)
    assert pruned.labels.tolist() == [2, 5, 11]
    assert torch.equal(pruned.decode().soft_labels, soft.decode().soft_labels[[0, 2, 4]])


@pytest.mark.parametrize(
    ("probabilities", "classes", "words"),
    [
        (torch.full((6, 3), 0.5), [2, 5, 11], "sum up to 1"),
        (torch.full((6, 2), 0.5), [2, 5], "all of the set's"),
        (torch.full((6, 3), 1 / 3), [5, 2, 11], "ascending"),
        (torch.full((5, 3), 1 / 3), [2, 5, 11], "no probabilities of shape"),
        (torch.full((6, 3), torch.nan), [2, 5, 11], "no probabilities"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, classes, words):
    with pytest.raises(InputError, match=words):
        SoftLabelSet(a_set(), probabilities, classes)


def test_a_teacher_needs_an_output_for_each_class():
    with pytest.raises(InputError, match="11 outputs, the set class 11"):
        with_soft_labels(a_set(), net(11))
    with pytest.raises(InputError, match="PointNetSegmentation is told the classes"):
        with_soft_labels(a_set(), PointNetSegmentation(12, 9, transforms=False))


def test_a_damaged_file_is_refused():
    soft = with_soft_labels(a_set(), net(12))
    for tensors, config in (
        ({}, soft.config()),
        (soft.stored(), soft.config() | {"kind": "mystery"}),
        (soft.stored(), soft.config() | {"classes": "all"}),
        (soft.stored() | {"more": torch.zeros(1)}, soft.config()),
    ):
        with pytest.raises(InputError):
            SoftLabelSet.rebuild(tensors, soft.labels, config)


def test_networks_learn_the_probabilities_and_not_the_labels():
    """The clouds of two classes whose soft labels say the other class."""
    clouds = blobs(labels=(0, 1))
    clouds = clouds.with_points(clouds.points + 3.0 * clouds.labels[:, None, None])
    crossed = torch.tensor([[0.1, 0.9], [0.9, 0.1]])[clouds.labels]
    student = net(2)
    training = Training(epochs=100, batch_size=5, optimizer=Adam(lr=1e-2))
    fit(student, replace(clouds, soft_labels=crossed), training, seed=0)
    with torch.no_grad():
        learnt = student(clouds.points).softmax(dim=1)
    assert nn.functional.l1_loss(learnt, crossed) < 0.1


def test_a_set_with_soft_labels_is_evaluated():
    synthetic = with_soft_labels(a_set(labels=(0, 1, 2)), net(3))
    test = blobs(labels=(0, 1, 2))
    evaluation = evaluate(synthetic, test, model=SMALL, training=Training(epochs=2), runs=1, device="cpu")
    assert 0 <= evaluation.mean <= 1
