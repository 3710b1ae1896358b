"""PointNet++: the contract, a set abstraction against a loop over groups, the published sizes, learning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import pointnet2_msg, pointnet2_ssg
from cl3d.models.layers import NORMS
from cl3d.models.pointnet2 import PointNet2
from cl3d.models.set_abstraction import Ball, SetAbstraction
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {
    "stages": ((Ball(0.7, 5, (3, 7)), Ball(1.5, 8, (5,))), (Ball(1.1, 4, (6, 11)),)),
    "counts": (13, 6),
    "channels": (7, 17),
    "head": (9,),
}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PointNet2(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointNet2(k, in_channels=channels, **NARROW))


def test_one_stage_and_no_hidden_head_keep_the_contract() -> None:
    check_backbone(
        lambda k: PointNet2(k, stages=NARROW["stages"][:1], counts=(11,), channels=(5,), head=(), dropout=0.0)
    )


@pytest.mark.parametrize("points", [1, 2, 5, 7])
def test_clouds_of_fewer_points_than_centres_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PointNet2(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, min(6, points), 17)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("width", [0, 2])
def test_a_set_abstraction_is_a_loop_over_groups(width: int, relative: bool) -> None:
    ball = Ball(1.1, 5, (6, 7))
    with isolated(0, "abstraction"):
        layer = SetAbstraction(width, 11, (ball,), "none", relative).double()
    points, features = backbones.clouds(n=3, p=23), backbones.clouds(n=3, p=23, seed=1)[..., :width]
    centres, got = layer(points, features if width else None)
    for i, picks in enumerate(naive.farthest_from_centre(points, 11).tolist()):
        assert torch.equal(centres[i], points[i, picks])
        for pick, feature in zip(picks, got[i], strict=True):
            distances = (points[i] - points[i, pick]).norm(dim=1)
            near = [j for j in distances.argsort().tolist()[:5] if distances[j] < 1.1]
            offsets = (points[i, near] - points[i, pick]) / (1.1 if relative else 1)
            expected = torch.cat([offsets, features[i, near]], dim=1)
            for linear in (layer.layers[0][0].linear, layer.layers[0][1].linear):
                expected = linear(expected).relu()
            torch.testing.assert_close(feature, expected.amax(dim=0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("build", "published", "parameters"),
    [(pointnet2_ssg, 1.48e6, 1_472_360), (pointnet2_msg, 1.74e6, 1_742_856)],
)
def test_it_has_the_published_size(build, published: float, parameters: int) -> None:
    net = build(40)
    # the computational requirements in Guo et al., "PCT: Point cloud transformer", 2021
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(published, rel=0.03)
    assert net.feature_dim == 1024


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    stages = ((Ball(0.3, 16, (16, 32)),), (Ball(0.6, 16, (32, 64)),))
    small: dict[str, Any] = {
        "stages": stages,
        "counts": (64, 16),
        "channels": (64, 128),
        "head": (64,),
        "dropout": 0.0,
    }
    assert accuracy_after_training(lambda k: PointNet2(k, **small)) > 0.7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"counts": (3,)}, "2 stages and 1 counts: give as many of both"),
        ({"stages": ((), ())}, "each stage a ball"),
        ({"counts": (3, 0)}, "counts=\\(3, 0\\): give positive sizes"),
        ({"channels": ()}, "channels=\\(\\)"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNet2(**{"num_classes": 3, **arguments})


@pytest.mark.parametrize("arguments", [(0.0, 3, (4,)), (1.0, 0, (4,)), (1.0, 3, ())])
def test_a_ball_out_of_range_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match="give"):
        Ball(*arguments)
