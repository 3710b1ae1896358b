"""PointMixup: half way by hand, shares, the mixed loss, and training with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.continual import Rehearse
from cl3d.distill import Augmentation, PointMixup, Training, fit
from cl3d.distill.mixup import Mixed, mixed_loss
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.ops.assignment import align
from cl3d.random import generator
from cl3d.testing.condensers import blobs


def test_each_cloud_moves_towards_its_partner_along_the_assignment():
    points = torch.randn(5, 7, 3, generator=generator(0))
    mixed = PointMixup(alpha=1.0)(points, generator(1))
    assert mixed.partner.sort().values.tolist() == list(range(5))
    for row in range(5):
        other = points[mixed.partner[row]]
        other = other[align(other, points[row])]
        expected = mixed.share[row] * points[row] + (1 - mixed.share[row]) * other
        assert torch.allclose(mixed.points[row], expected)
    again = PointMixup(alpha=1.0)(points, generator(1))
    assert torch.equal(again.points, mixed.points)


def test_shares_follow_the_beta_distribution():
    share = PointMixup(alpha=0.2)(torch.randn(997, 1, 3, generator=generator(2)), generator(3)).share
    # of Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1))
    assert float(share.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(share.var()) == pytest.approx(1 / (4 * 1.4), abs=0.02)
    assert bool(((share >= 0) & (share <= 1)).all())


def test_the_loss_is_mixed_like_the_clouds():
    net = nn.Sequential(nn.Flatten(), nn.Linear(21, 3))
    labels = torch.tensor([0, 1, 2])
    mixed = Mixed(
        torch.randn(3, 7, 3, generator=generator(4)), torch.tensor([1, 2, 0]), torch.tensor([1.0, 0.25, 0])
    )
    logs = net(mixed.points).log_softmax(dim=1)
    expected = -(logs[0, 0] + 0.25 * logs[1, 1] + 0.75 * logs[1, 2] + logs[2, 0]) / 3
    assert torch.allclose(mixed_loss(net, mixed, PointClouds(mixed.points, labels)), expected)


def test_training_with_it_repeats_and_differs_from_training_without():
    data = blobs(labels=(0, 1, 2))
    training = Training(epochs=3, batch_size=8, mixup=PointMixup(), augmentation=Augmentation())
    nets = [PointNet(3, channels=(5, 11), head=(), norm="none") for _ in range(3)]
    for net in nets[1:]:
        net.load_state_dict(nets[0].state_dict())
    for net, how in zip(nets, (training, training, replace(training, mixup=None)), strict=True):
        fit(net, data, how, seed=0)
    first, again, without = (next(net.parameters()) for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, without)


def test_dropped_points_become_the_first_one():
    points = torch.randn(5, 211, 3, generator=generator(5))
    still = Augmentation(scale=(1.0, 1.0), jitter=0.0, angle=0.0)
    assert torch.allclose(still(points, generator(6)), points)
    dropped = replace(still, dropout=0.9)(points, generator(6))
    lost = (dropped - points).abs().amax(dim=2) > 1e-6
    assert torch.allclose(dropped[lost], points[:, :1].expand_as(points)[lost])
    fractions = lost.float().mean(dim=1)
    assert float(fractions.min()) > 0
    assert float(fractions.max()) < 0.95
    assert len(fractions.unique()) == 5


def test_networks_that_go_on_learning_refuse_it():
    with pytest.raises(InputError, match="give strategy=scratch"):
        Rehearse(Training(mixup=PointMixup()))
    with pytest.raises(InputError, match="alpha=0"):
        PointMixup(alpha=0)
    with pytest.raises(InputError, match="dropout=1"):
        Augmentation(dropout=1)
