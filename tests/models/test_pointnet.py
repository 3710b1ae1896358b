"""PointNet: the contract in every flavour, the fast path against the dense one, the papers' presets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.models import Backbone, PointNet, pointnet_large, pointnet_light, pointnet_small
from cl3d.models.layers import NORMS
from cl3d.random import generator, isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {"channels": (5, 7, 8, 11), "head": (13, 6)}
FLAVOURS = [(norm, transforms) for norm in NORMS for transforms in (False, True)]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("norm", "transforms"), FLAVOURS)
def test_every_flavour_keeps_the_contract(norm: str, transforms: bool, fused: bool) -> None:
    check_backbone(lambda k: PointNet(k, norm=norm, transforms=transforms, fused=fused, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointNet(k, in_channels=channels, transforms=True, **NARROW))


def test_one_layer_no_hidden_head_and_dropout_keep_the_contract() -> None:
    check_backbone(lambda k: PointNet(k, channels=(11,), head=()))
    check_backbone(lambda k: PointNet(k, dropout=0.3, **NARROW))


class Averaging(PointNet):
    def features(self, points: Tensor) -> Tensor:
        return self.point_features(points).mean(dim=1)


class FirstPoint(PointNet):
    def point_features(self, points: Tensor) -> Tensor:
        return super().point_features(points)[:, :1]

    def features(self, points: Tensor) -> Tensor:
        return self.pool(self.point_features(points))


class AlwaysBatch(PointNet):
    def train(self, mode: bool = True) -> AlwaysBatch:
        super().train(mode).layers.train()
        return self


class Narrowed(PointNet):
    def point_features(self, points: Tensor) -> Tensor:
        return super().point_features(points.detach())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Averaging, "features is not pool"),
        (FirstPoint, "the order of points matters"),
        (AlwaysBatch, "clouds of a batch mix"),
        (Narrowed, "features is not pool"),
    ],
)
def test_the_contract_finds_a_wrong_backbone(wrong: type[PointNet], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_backbone(lambda k: wrong(k, **NARROW))


def matching_step(net: Backbone, norms_frozen: bool) -> list[Tensor]:
    """A class's step of gradient matching: the distance, and its gradient with respect to the points."""
    net.train(not norms_frozen)
    real = backbones.clouds(6, seed=1)
    synthetic = backbones.clouds(3, seed=2).requires_grad_()
    weights = list(net.parameters())
    sides = []
    for points, kept in ((real, False), (synthetic, True)):
        loss = nn.functional.cross_entropy(net(points), torch.full((len(points),), 2))
        sides.append(torch.autograd.grad(loss, weights, create_graph=kept, materialize_grads=True))
    distance = sum(((s - t).square().sum() for t, s in zip(*sides, strict=True)), torch.zeros(()))
    return [distance, *torch.autograd.grad(distance, synthetic)]


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(("norm", "transforms"), FLAVOURS)
def test_a_gradient_matching_step_is_that_of_the_dense_network(
    norm: str, transforms: bool, frozen: bool
) -> None:
    results = []
    for fused in (True, False):
        net = backbones.make(
            lambda k, f=fused: PointNet(k, norm=norm, transforms=transforms, fused=f, **NARROW)
        )
        results.append((matching_step(net, frozen), net.state_dict()))
    (fast, fast_state), (dense, dense_state) = results
    for got, expected in zip(fast, dense, strict=True):
        assert expected.any()
        backbones.assert_close(got, expected, 1e-9, "the steps differ")
    assert fast_state.keys() == dense_state.keys()
    for name in dense_state:
        torch.testing.assert_close(fast_state[name], dense_state[name], rtol=1e-9, atol=1e-12)


def test_transforms_start_as_the_identity_and_act() -> None:
    with isolated(0, "transforms"):
        net = PointNet(3, transforms=True, norm="none", **NARROW).double()
    plain = PointNet(3, norm="none", **NARROW).double()
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if "transform" not in k})
    points = backbones.clouds()
    torch.testing.assert_close(net(points), plain(points), rtol=1e-12, atol=1e-12)
    assert net.feature_transform is not None
    with torch.no_grad():
        net.feature_transform.classifier[-1].bias.mul_(2)
    assert not torch.allclose(net(points), plain(points))


@pytest.mark.parametrize(
    ("build", "widths", "hidden", "parameters"),
    [
        (PointNet, (64, 64, 64, 128, 1024), 2, 817_512),
        (pointnet_small, (64, 128, 512), 2, 480_360),
        (pointnet_large, (64, 64, 64, 128, 256, 512, 1024), 2, 1_376_104),
        (pointnet_light, (64, 128, 1024), 0, 180_456),
    ],
)
def test_presets_are_the_papers_networks(
    build: Callable[..., PointNet], widths: tuple[int, ...], hidden: int, parameters: int
) -> None:
    net = build(40)
    assert [layer.linear.out_features for layer in net.layers] == list(widths)
    assert net.feature_dim == widths[-1]
    assert sum(isinstance(m, nn.Linear) for m in net.classifier) == hidden + 1
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert build(40, head=(17,)).classifier[-1].in_features == 17


@pytest.mark.parametrize(("transforms", "published"), [(True, 3.5e6), (False, 0.8e6)])
def test_it_has_the_published_size(transforms: bool, published: float) -> None:
    # table 6 of the paper, with transforms and without ("vanilla")
    assert sum(p.numel() for p in PointNet(40, transforms=transforms).parameters()) == pytest.approx(
        published, rel=0.03
    )


def test_float32_training_follows_the_dense_network() -> None:
    points = torch.randn(8, 61, 3, generator=generator(0, "training"))
    labels = torch.arange(8) % 3
    losses = []
    for fused in (True, False):
        with isolated(1, "training"):
            net = PointNet(3, fused=fused, channels=(16, 32), head=(8,))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
        for _ in range(5):
            loss = nn.functional.cross_entropy(net(points), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[0] < 1.0


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {"channels": (16, 32, 128), "head": (64,)}
    assert accuracy_after_training(lambda k: PointNet(k, **small)) > 0.85


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"channels": ()}, "channels=\\(\\): give positive sizes, at least 1"),
        ({"channels": (4, 0)}, "positive sizes"),
        ({"channels": 4}, "channels=4: give positive sizes, at least 1"),
        ({"channels": (4, 5.5)}, "positive sizes"),
        ({"head": (-1,)}, "positive sizes"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
        ({"transforms": True, "channels": (4, 5)}, "give at least 3"),
        ({"dropout": 1.0}, "dropout=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNet(**{"num_classes": 3, **arguments})
