"""PointMLP for part segmentation: the contract, grouping with coordinates, the size of the authors' net."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointMLPSegmentation
from cl3d.models.pointmlp import Stage
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {
    "width": 3,
    "growth": (2, 1),
    "decoder": (7, 5),
    "context": 5,
    "hidden": 11,
    "expansion": 0.5,
    "k": 5,
}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointMLPSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointMLPSegmentation(s, p, in_channels=channels, **NARROW))


def test_a_stage_with_coordinates_is_a_loop_over_groups() -> None:
    with isolated(0, "stage"):
        stage = Stage(2, 7, 0, 0, 1.0, 5, "none", stride=3, places=True).double()
    points, features = clouds(n=2, p=13), clouds(n=2, p=13, seed=1)[..., :2]
    centres, got = stage(points, features)
    picks = naive.farthest_from_centre(points, 5)
    near = naive.nearest_points(points, centres, 5)
    carried = torch.cat([features, points], dim=2)
    for i in range(2):
        offsets = [[carried[i, j] - carried[i, pick] for j in near[i, c]] for c, pick in enumerate(picks[i])]
        deviation = statistics.stdev([float(v) for group in offsets for offset in group for v in offset])
        for c, pick in enumerate(picks[i]):
            inputs = torch.stack(
                [torch.cat([offset / deviation, features[i, pick]]) for offset in offsets[c]]
            )
            expected = stage.transfer.linear(inputs).relu().amax(dim=0)
            torch.testing.assert_close(got[i, c], expected, rtol=1e-7, atol=1e-9)


def test_it_has_the_size_of_the_authors_net() -> None:
    net = PointMLPSegmentation(16, 50, in_channels=6)
    # github.com/ma-xu/pointMLP-pytorch, part_segmentation/model/pointMLP.py, layer by layer, but for biases
    # before a norm: two layers to a residual block
    widths, decoder = (64, 128, 256, 512, 1024), (512, 256, 128, 128)
    layers = [(6, 64), (5 * 64, 64), (16, 64), (64, 64), (64 + 64 + 128, 128)]
    layers += [(width, 64) for width in widths]
    for before, after in pairwise(widths):
        layers += [(3 + 2 * before, after)] + 2 * 4 * [(after, after)]
    for inputs, before, after in zip((1024, *decoder), widths[-2::-1], decoder, strict=False):
        layers += [(inputs + before, after)] + 2 * 4 * [(after, after)]
    affine = sum(2 * (width + 3) for width in widths[:-1])
    expected = sum(a * b + 2 * b for a, b in layers) + affine + 128 * 50 + 50
    assert sum(p.numel() for p in net.parameters()) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"width": 0}, "width=0"),
        ({"growth": (2,)}, "give as many of both"),
        ({"decoder": ()}, "decoder=\\(\\)"),
        ({"context": 0}, "context=0"),
        ({"expansion": 0}, "expansion=0"),
        ({"k": 0}, "k=0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointMLPSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
