"""PCT: the contract, attention and neighbours against plain loops, the published size."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PCT
from cl3d.models.layers import NORMS
from cl3d.models.pct import NeighbourEmbedding, OffsetAttention
from cl3d.ops import naive
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {
    "width": 3,
    "counts": (17, 7),
    "k": 5,
    "attentions": 2,
    "embedding": 11,
    "head": (13,),
}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PCT(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PCT(k, in_channels=channels, **NARROW))


@pytest.mark.parametrize("points", [1, 2, 5, 11])
def test_clouds_of_fewer_points_than_sampled_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PCT(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, min(7, points), 11)


def test_attention_is_a_loop_over_pairs() -> None:
    with isolated(0, "attention"):
        layer = OffsetAttention(8, "none").double()
    x = backbones.clouds(n=1, p=5).repeat(1, 1, 3)[..., :8]
    query, value = layer.query(x[0]).detach(), layer.value(x[0])
    weights = [[math.exp(float(query[i] @ query[j])) for j in range(5)] for i in range(5)]
    weights = [[w / sum(row) for w in row] for row in weights]
    for j, got in enumerate(layer(x)[0]):
        received = sum(row[j] for row in weights)
        attended = sum(weights[i][j] / received * value[i] for i in range(5))
        expected = x[0, j] + layer.layer.linear(x[0, j] - attended).relu()
        torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-9)


def test_neighbours_are_embedded_as_in_a_loop() -> None:
    with isolated(0, "neighbours"):
        layer = NeighbourEmbedding(2, 7, 11, 5, "none").double()
    points, features = backbones.clouds(n=2, p=23), backbones.clouds(n=2, p=23, seed=1)[..., :2]
    centres, got = layer(points, features)
    near = naive.nearest_points(points, centres, 5)
    for i, picks in enumerate(naive.farthest_from_centre(points, 11).tolist()):
        for c, pick in enumerate(picks):
            own = features[i, pick]
            inputs = torch.stack([torch.cat([features[i, j] - own, own]) for j in near[i, c]])
            hidden = layer.layers[0].linear(inputs).relu()
            expected = layer.layers[1].linear(hidden).relu().amax(dim=0)
            torch.testing.assert_close(got[i, c], expected, rtol=1e-10, atol=1e-12)


def test_it_has_the_published_size() -> None:
    parameters = sum(p.numel() for p in PCT(40).parameters())
    # the authors' code, layer by layer, but for the 4 * 256 + 256 biases of linear layers before a norm
    assert parameters == 2_876_136 - 1280
    # the computational requirements in the paper
    assert parameters == pytest.approx(2.88e6, rel=0.03)


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {
        "width": 8,
        "counts": (64, 32),
        "k": 8,
        "attentions": 2,
        "embedding": 128,
        "head": (64,),
        "dropout": 0.0,
    }
    assert accuracy_after_training(lambda k: PCT(k, **small)) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"counts": ()}, "counts=\\(\\): give positive sizes, at least 1"),
        ({"width": 1, "counts": (3,)}, "width=1 leaves attention without a channel: give at least 2"),
        ({"k": 0}, "k=0"),
        ({"attentions": 0}, "attentions=0"),
        ({"embedding": 0}, "embedding=0"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
        ({"dropout": -0.1}, "dropout=-0.1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PCT(**{"num_classes": 3, **arguments})
