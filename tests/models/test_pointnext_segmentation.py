"""PointNeXt-S for part segmentation: the contract, three layers in a stage, the published size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointNeXtSegmentation
from cl3d.models.pointnext import ResidualAbstraction
from cl3d.ops.grouping import nearest_points, take
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {"width": 5, "stages": 2, "radius": 0.6, "k": 5}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointNeXtSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointNeXtSegmentation(s, p, in_channels=channels, **NARROW))


def test_a_stage_has_the_layers_asked_for() -> None:
    with isolated(0, "stage"):
        stage = ResidualAbstraction(5, 0.4, 1, "none", 3).double()
    points, features = clouds(n=2, p=7), clouds(n=2, p=7, channels=5)
    centres, got = stage(points, features)
    # in balls of one point this is the centre itself
    own = take(features, nearest_points(points, centres, 1)).squeeze(2)
    x = torch.cat([torch.zeros_like(centres), own], dim=2)
    for layer in (stage.first, stage.between[0]):
        x = layer.linear(x).relu()
    torch.testing.assert_close(got, (stage.second.linear(x) + stage.skip(own)).relu())


def test_it_has_the_published_size() -> None:
    # the weights released at C = 160, which take normals and the height
    parameters = sum(p.numel() for p in PointNeXtSegmentation(16, 50, in_channels=7, width=160).parameters())
    assert parameters == pytest.approx(22.5e6, rel=0.03)
    # table 3 of the paper
    small = sum(p.numel() for p in PointNeXtSegmentation(16, 50, in_channels=7).parameters())
    assert small == pytest.approx(1.0e6, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"width": 0}, "width=0"),
        ({"stages": 1}, "stages=1: give a whole number from 2"),
        ({"radius": 0.0}, "radius=0.0"),
        ({"radius_growth": -1}, "radius_growth=-1"),
        ({"k": 0}, "k=0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNeXtSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
