"""PointNet++ for part segmentation: the contract, propagation by hand, the sizes of the authors' nets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointNet2Segmentation, pointnet2_msg_segmentation, pointnet2_ssg_segmentation
from cl3d.models.feature_propagation import FeaturePropagation
from cl3d.models.set_abstraction import Ball
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {
    "stages": ((Ball(0.7, 5, (3, 7)), Ball(1.5, 8, (5,))), (Ball(1.1, 4, (6, 11)),)),
    "counts": (13, 6),
    "channels": (7, 17),
    "propagations": ((13, 7), (11,), (13,)),
    "hidden": 9,
}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointNet2Segmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointNet2Segmentation(s, p, in_channels=channels, **NARROW))


def test_propagation_is_layers_on_interpolated_features() -> None:
    with isolated(0, "propagation"):
        layer = FeaturePropagation(2, 5, (7, 3), "none").double()
    points, before = clouds(n=2, p=13), clouds(n=2, p=13, seed=1)[..., :2]
    sampled, features = points[:, :6], clouds(n=2, p=6, channels=5)
    x = torch.cat([before, naive.interpolate(features, sampled, points)], dim=2)
    expected = layer.layers[1].linear(layer.layers[0].linear(x).relu()).relu()
    torch.testing.assert_close(layer(points, before, sampled, features), expected)


def test_one_place_hands_its_feature_to_all() -> None:
    with isolated(0, "propagation"):
        layer = FeaturePropagation(3, 5, (7,), "none").double()
    points, feature = clouds(n=2, p=13), clouds(n=2, p=1, channels=5)
    x = torch.cat([points, feature.expand(-1, 13, -1)], dim=2)
    got = layer(points, points, 100 + points[:, :1], feature)
    torch.testing.assert_close(got, layer.layers[0].linear(x).relu())


SINGLE_SCALE = """3 64 64 128, 131 128 128 256, 259 256 512 1024,
    1280 256 256, 384 256 128, 147 128 128 128, 128 128"""
MULTI_SCALE = """3 32 32 64, 3 64 64 128, 3 64 96 128, 323 128 128 256, 323 128 196 256, 515 256 512 1024,
    1536 256 256, 576 256 128, 147 128 128, 128 128"""


@pytest.mark.parametrize(
    ("build", "layers"),
    [(pointnet2_ssg_segmentation, SINGLE_SCALE), (pointnet2_msg_segmentation, MULTI_SCALE)],
)
def test_it_has_the_size_of_the_authors_net(build, layers: str) -> None:
    # github.com/charlesq34/pointnet2, models/pointnet2_part_seg.py and ..._msg_one_hot.py, for coordinates
    # alone and with the class in both, but for biases before a norm
    sizes = [map(int, line.split()) for line in layers.split(",")]
    normed = sum(a * b + 2 * b for chain in sizes for a, b in pairwise(chain))
    assert sum(p.numel() for p in build(16, 50).parameters()) == normed + 128 * 50 + 50


@pytest.mark.parametrize(
    ("build", "groups"),
    [
        (pointnet2_ssg_segmentation, [[(0.2, 64)], [(0.4, 64)]]),
        (pointnet2_msg_segmentation, [[(0.1, 32), (0.2, 64), (0.4, 128)], [(0.4, 64), (0.8, 128)]]),
    ],
)
def test_it_has_the_balls_of_the_authors_net(build, groups: list[list[tuple[float, int]]]) -> None:
    assert [[(ball.radius, ball.k) for ball in stage.balls] for stage in build(16, 50).stages] == groups


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"counts": (3,)}, "2 stages, 1 counts and 3 propagations"),
        ({"propagations": ((3,), (4,))}, "one propagation more"),
        ({"stages": ((), ())}, "each stage a ball"),
        ({"channels": ()}, "channels=\\(\\)"),
        ({"hidden": 0}, "hidden=\\(0,\\)"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNet2Segmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
