"""Point Transformer: the contract, attention and a transition against plain loops, its size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointTransformer
from cl3d.models.layers import NORMS
from cl3d.models.point_transformer import Transition, VectorAttention
from cl3d.ops import naive
from cl3d.ops.grouping import nearest_points, take
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {
    "channels": (4, 6),
    "blocks": (1, 2),
    "neighbours": (3, 5),
    "stride": 3,
    "share": 2,
    "head": (7,),
}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PointTransformer(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointTransformer(k, in_channels=channels, **NARROW))


@pytest.mark.parametrize("points", [1, 2, 5, 11])
def test_clouds_of_fewer_points_than_neighbours_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PointTransformer(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, -(-points // 3), 6)


def test_attention_is_a_loop_over_neighbours() -> None:
    with isolated(0, "attention"):
        layer = VectorAttention(6, 2, "none").double()
    points = backbones.clouds(n=2, p=11)
    x = torch.cat([backbones.clouds(n=2, p=11, seed=1), backbones.clouds(n=2, p=11, seed=2)], dim=2)
    near = nearest_points(points, points, 5)
    got = layer(x, near, points.unsqueeze(2) - take(points, near))
    for i in range(2):
        for a in range(11):
            scores, values = [], []
            for b in near[i, a]:
                position = layer.position((points[i, a] - points[i, b]).view(1, 1, 3))[0, 0]
                relation = layer.query(x[i, a]) - layer.key(x[i, b]) + position
                scores.append(layer.weights[1](layer.weights[0].linear(relation.relu()).relu()))
                values.append(layer.value(x[i, b]) + position)
            weights = torch.stack(scores).exp()
            weights = weights / weights.sum(dim=0)
            expected = [
                sum(weights[n, c % 3] * values[n][c] for n in range(5)) for c in range(6)
            ]  # a weight is shared by every third channel
            torch.testing.assert_close(got[i, a], torch.stack(expected), rtol=1e-9, atol=1e-11)


def test_a_transition_is_a_loop_over_groups() -> None:
    with isolated(0, "transition"):
        layer = Transition(2, 7, 3, 5, "none").double()
    points, features = backbones.clouds(n=2, p=13), backbones.clouds(n=2, p=13, seed=1)[..., :2]
    centres, got = layer(points, features)
    near = naive.nearest_points(points, centres, 5)
    assert centres.shape == (2, 5, 3)
    for i in range(2):
        for c, centre in enumerate(centres[i]):
            inputs = [torch.cat([points[i, j] - centre, features[i, j]]) for j in near[i, c]]
            expected = torch.stack([layer.layer.linear(x).relu() for x in inputs]).amax(dim=0)
            torch.testing.assert_close(got[i, c], expected, rtol=1e-10, atol=1e-12)


def test_its_size_is_known() -> None:
    # the paper gives no number for classification
    assert sum(p.numel() for p in PointTransformer(40).parameters()) == 5_072_487


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {
        "channels": (16, 32, 64),
        "blocks": (1, 1, 1),
        "neighbours": (8, 8, 8),
        "head": (64,),
        "dropout": 0.0,
    }
    assert accuracy_after_training(lambda k: PointTransformer(k, **small)) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"channels": ()}, "channels=\\(\\)"),
        ({"blocks": (1, 2)}, "give as many of each, blocks from 0"),
        ({"blocks": (1, 2, -1, 1, 1)}, "give as many of each, blocks from 0"),
        ({"neighbours": (8, 0)}, "neighbours=\\(8, 0\\): give positive sizes"),
        ({"stride": 0}, "stride=0"),
        ({"share": 3}, "share=3 with channels=.*: give a divisor of all channels"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointTransformer(**{"num_classes": 3, **arguments})
