"""PointConv: the contract, a convolution against a loop over neighbours, the density, the size."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointConv
from cl3d.models.layers import NORMS
from cl3d.models.pointconv import Convolution, Stage, inverse_density
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {
    "stages": (Stage(17, 5, 0.4, (3, 5)), Stage(7, 6, 0.6, (6,))),
    "channels": (5, 11),
    "head": (13,),
    "dropout": 0.3,
}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PointConv(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointConv(k, in_channels=channels, **NARROW))


def test_the_last_convolution_alone_keeps_the_contract() -> None:
    check_backbone(lambda k: PointConv(k, stages=(), channels=(7,), head=(), dropout=0.0))


@pytest.mark.parametrize("points", [1, 2, 5, 11])
def test_clouds_of_fewer_points_than_centres_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PointConv(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, min(7, points), 11 + 16)


def test_the_density_is_a_mean_of_gaussians() -> None:
    points = backbones.clouds(n=3, p=11) + 2
    for cloud, got in zip(points.tolist(), inverse_density(points, 0.7), strict=True):
        expected = [11 / sum(math.exp(-(math.dist(a, b) ** 2) / (2 * 0.7**2)) for b in cloud) for a in cloud]
        torch.testing.assert_close(got[:, 0], torch.tensor(expected, dtype=torch.float64))


def test_a_convolution_is_a_loop_over_neighbours() -> None:
    with isolated(0, "convolution"):
        layer = Convolution(2, Stage(7, 5, 0.6, (3, 4)), "none").double()
    points, features = backbones.clouds(n=2, p=13), backbones.clouds(n=2, p=13, seed=1)[..., :2]
    centres, got = layer(points, features)
    near = naive.nearest_points(points, centres, 5).tolist()
    inverse = inverse_density(points, 0.6)
    for i in range(2):
        for c, centre in enumerate(centres[i]):
            largest = max(float(inverse[i, j]) for j in near[i][c])
            total = torch.zeros(4, 16, dtype=torch.float64)
            for j in near[i][c]:
                offset = points[i, j] - centre
                scale, weight = inverse[i, j] / largest, offset
                for depth, small in enumerate(layer.terms.scale):
                    scale = small.linear(scale).relu() if depth < 2 else small.linear(scale).sigmoid()
                for small in layer.terms.weights:
                    weight = small.linear(weight).relu()
                value = torch.cat([offset, features[i, j]])
                for shared in layer.terms.layers:
                    value = shared.linear(value).relu()
                total = total + torch.outer(scale * value, weight)
            expected = layer.mix.linear(total.flatten()).relu()
            torch.testing.assert_close(got[i, c], expected, rtol=1e-9, atol=1e-11)


def test_it_has_the_published_size() -> None:
    net = PointConv(40)
    parameters = sum(p.numel() for p in net.parameters())
    assert parameters == 19_564_558
    # the paper gives no number; the layers of github.com/DylanWusee/pointconv_pytorch have a bias before
    # each norm, too
    norms = sum(m.num_features for m in net.modules() if isinstance(m, torch.nn.BatchNorm1d))
    assert parameters + norms == 19_569_465
    # table 1 of Ma et al. (PointMLP), 2022, where a million is 1024² (their issue 32)
    assert parameters == pytest.approx(18.6 * 1024**2, rel=0.03)


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    stages = (Stage(64, 8, 0.1, (16, 32)), Stage(16, 8, 0.2, (32, 64)))
    small: dict[str, Any] = {"stages": stages, "channels": (64,), "head": (64,), "dropout": 0.0}
    assert accuracy_after_training(lambda k: PointConv(k, **small)) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"channels": ()}, "channels=\\(\\)"),
        ({"bandwidth": 0.0}, "bandwidth=0.0: give a number above 0"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointConv(**{"num_classes": 3, **arguments})


@pytest.mark.parametrize(
    "arguments", [(0, 3, 0.1, (4,)), (3, 0, 0.1, (4,)), (3, 3, 0, (4,)), (3, 3, 0.1, ())]
)
def test_a_stage_out_of_range_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match="give"):
        Stage(*arguments)
