"""PointNeXt-S: the contract, a stage against a loop over balls, the published size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointNeXt
from cl3d.models.layers import NORMS
from cl3d.models.pointnext import ResidualAbstraction
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {"width": 3, "stages": 2, "radius": 0.7, "k": 5, "head": (7,)}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PointNeXt(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointNeXt(k, in_channels=channels, **NARROW))


@pytest.mark.parametrize("points", [1, 2, 3, 5])
def test_clouds_of_fewer_points_than_a_ball_holds_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PointNeXt(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, -(-points // 4), 12)


def test_a_stage_is_a_loop_over_balls() -> None:
    with isolated(0, "stage"):
        stage = ResidualAbstraction(2, 0.9, 5, "none").double()
    points, features = backbones.clouds(n=2, p=13), backbones.clouds(n=2, p=13, seed=1)[..., :2]
    centres, got = stage(points, features)
    picks = naive.farthest_from_centre(points, 7)
    near = naive.ball_query(points, centres, 0.9, 5)
    for i in range(2):
        for c, pick in enumerate(picks[i]):
            values = []
            for j in near[i, c]:
                x = torch.cat([(points[i, j] - points[i, pick]) / 0.9, features[i, j]])
                values.append(stage.second.linear(stage.first.linear(x).relu()))
            expected = (torch.stack(values).amax(dim=0) + stage.skip(features[i, pick])).relu()
            torch.testing.assert_close(got[i, c], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("width", "published"), [(32, 1.374e6), (64, 4.523e6)])
def test_it_has_the_published_size(width: int, published: float) -> None:
    # the authors' setting for ModelNet40 (github.com/guochengqian/PointNeXt, cfgs/modelnet40ply2048/
    # pointnext-s.yaml), whose head gives both; 1.4 and 4.5 in the paper and its model zoo
    parameters = sum(p.numel() for p in PointNeXt(40, width=width).parameters())
    assert parameters == pytest.approx(published, abs=500)


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {"width": 8, "stages": 3, "radius": 0.3, "k": 8, "head": (64,), "dropout": 0.0}
    assert accuracy_after_training(lambda k: PointNeXt(k, **small)) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"width": 0}, "width=0"),
        ({"stages": 0}, "stages=0"),
        ({"k": 0}, "k=0"),
        ({"radius": 0.0}, "radius=0.0: give a number above 0"),
        ({"radius_growth": -1.0}, "radius_growth=-1.0: give a number above 0"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNeXt(**{"num_classes": 3, **arguments})
