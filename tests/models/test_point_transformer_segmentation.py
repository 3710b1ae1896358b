"""Point Transformer for part segmentation: the contract, the way up by hand, the size of the public net."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointTransformerSegmentation
from cl3d.models.point_transformer_segmentation import TransitionUp
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {
    "channels": (6, 10),
    "blocks": (1, 1),
    "neighbours": (4, 5),
    "stride": 3,
    "share": 2,
}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointTransformerSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointTransformerSegmentation(s, p, in_channels=channels, **NARROW))


def test_the_way_up_adds_what_is_interpolated() -> None:
    with isolated(0, "up"):
        layer = TransitionUp(7, 5, "none").double()
    points, before = clouds(n=2, p=13), clouds(n=2, p=13, channels=7)
    sampled, features = points[:, :6], clouds(n=2, p=6, channels=5)
    handed = naive.interpolate(layer.sampled.linear(features).relu(), sampled, points)
    torch.testing.assert_close(
        layer(points, before, sampled, features), layer.own.linear(before).relu() + handed
    )


def test_it_has_the_size_of_the_public_net() -> None:
    net = PointTransformerSegmentation(16, 13, in_channels=6)
    # github.com/POSTECH-CVLab/point-transformer, model/pointtransformer/pointtransformer_seg.py, layer by
    # layer, but for biases before a norm; beside the mean there is the class
    widths, blocks = (32, 64, 128, 256, 512), (2, 3, 4, 6, 3)
    down = 6 * 32 + 64 + sum((3 + a) * b + 2 * b for a, b in pairwise(widths))
    up = sum(a * a + b * a + 4 * a for a, b in pairwise(widths))
    mean = (512 * 512 + 512) + (1024 * 512 + 2 * 512)
    last = (32 * 32 + 64) + (32 * 13 + 13)
    attention = sum(count * block_size(width) for count, width in zip(blocks, widths, strict=True))
    parameters = sum(p.numel() for p in net.parameters())
    assert parameters == down + up + mean + last + attention + 16 * 512
    # counted at that net by Ran et al. (github.com/hancyran/RepSurf, segmentation)
    assert parameters == pytest.approx(7.767e6, rel=0.03)


def block_size(width: int) -> int:
    shared = width // 8
    weights = 2 * width + (width * shared + 2 * shared) + (shared * shared + shared)
    position = (3 * 3 + 2 * 3) + (3 * width + width)
    return 2 * (width * width + 2 * width) + 2 * width + 3 * (width * width + width) + position + weights


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"blocks": (1,)}, "give as many of each, blocks from 0"),
        ({"share": 7}, "give a divisor of all channels"),
        ({"stride": 0}, "stride=0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointTransformerSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
