"""PointConv for part segmentation: the contract, a deconvolution against a loop over neighbours, the size."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointConvSegmentation
from cl3d.models.pointconv import Stage, inverse_density
from cl3d.models.pointconv_segmentation import STAGES, Deconvolution
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {
    "stages": (Stage(17, 5, 0.4, (3, 5)), Stage(7, 6, 0.6, (6,))),
    "decoder": ((7, 6), (5, 7)),
    "k": 4,
    "hidden": 11,
}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointConvSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointConvSegmentation(s, p, in_channels=channels, **NARROW))


def test_a_deconvolution_is_a_loop_over_neighbours() -> None:
    with isolated(0, "deconvolution"):
        layer = Deconvolution(2, 5, Stage(1, 4, 0.6, (7, 3)), "none").double()
    points, before = clouds(n=2, p=13), clouds(n=2, p=13, seed=1)[..., :2]
    sampled, features = points[:, :6], clouds(n=2, p=6, channels=5)
    got = layer(points, before, sampled, features)
    handed = naive.interpolate(features, sampled, points)
    near = naive.nearest_points(points, points, 4).tolist()
    inverse = inverse_density(points, 0.6)
    for i in range(2):
        for c, point in enumerate(points[i]):
            largest = max(float(inverse[i, j]) for j in near[i][c])
            total = torch.zeros(8, 16, dtype=torch.float64)
            for j in near[i][c]:
                scale, weight = inverse[i, j] / largest, points[i, j] - point
                for depth, small in enumerate(layer.terms.scale):
                    scale = small.linear(scale).relu() if depth < 2 else small.linear(scale).sigmoid()
                value = torch.cat([weight, handed[i, j]])
                for small in layer.terms.weights:
                    weight = small.linear(weight).relu()
                total = total + torch.outer(scale * value, weight)
            mixed = layer.mix.linear(total.flatten()).relu()
            expected = layer.layers[0].linear(torch.cat([mixed, before[i, c]])).relu()
            torch.testing.assert_close(got[i, c], expected, rtol=1e-8, atol=1e-10)


def test_its_size_is_the_sum_of_its_layers() -> None:
    # none is published; the sizes are those of the authors' net for scenes with the classifier's convolutions
    small = size(3, 8, 8, 16) + size(1, 16, 8, 1)
    down, inputs = 0, 3
    for stage in STAGES:
        last = stage.channels[-1]
        down += size(3 + inputs, *stage.channels) + size(16 * last, last) + small
        inputs = last
    up = 0
    for before, given, first, *others in [
        (256, 512, 512, 512),
        (128, 512, 256, 256),
        (64, 256, 256, 128),
        (16 + 3, 128, 128, 128, 128),
    ]:
        up += size(16 * (3 + given), first) + size(first + before, *others) + small
    parameters = sum(p.numel() for p in PointConvSegmentation(16, 50).parameters())
    assert parameters == down + up + size(128, 128) + 128 * 50 + 50


def size(*channels: int) -> int:
    return sum(a * b + 2 * b for a, b in pairwise(channels))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"decoder": ((3, 4),)}, "4 stages and 1 of decoder: give as many of both"),
        ({"decoder": ((3,),)}, "decoder=\\(3,\\): give positive sizes, at least 2"),
        ({"stages": (), "decoder": ()}, "decoder=\\(\\): give positive sizes, at least 1"),
        ({"k": 0}, "k=0"),
        ({"hidden": 0}, "hidden=0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointConvSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
