"""DGCNN: the contract, EdgeConv against a loop over edges, the published size, learning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models.dgcnn import DGCNN, EdgeConv
from cl3d.models.layers import NORMS
from cl3d.ops.grouping import nearest_points
from cl3d.random import generator, isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {"channels": (5, 7), "embedding": 11, "head": (13, 6), "k": 4}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: DGCNN(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: DGCNN(k, in_channels=channels, **NARROW))


def test_one_layer_and_no_hidden_head_keep_the_contract() -> None:
    check_backbone(lambda k: DGCNN(k, channels=(5,), embedding=7, head=(), k=3, dropout=0.0))


@pytest.mark.parametrize("points", [1, 2, 3, 5])
def test_clouds_of_fewer_points_than_neighbours_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: DGCNN(k, **NARROW))
    many = backbones.make(lambda k: DGCNN(k, **{**NARROW, "k": 5}))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    if points < 5:
        many.load_state_dict(net.state_dict())
        assert torch.allclose(net(x), many(x), rtol=1e-12)


def test_an_edge_convolution_is_a_loop_over_edges() -> None:
    with isolated(0, "edges"):
        layer = EdgeConv(3, 7, "batch").double()
    x = backbones.clouds(n=2, p=11)
    neighbours = nearest_points(x, x, 5)
    got = layer(x, neighbours)
    edges = torch.stack(
        [
            layer.linear(torch.cat([cloud[j] - cloud[i], cloud[i]]))
            for cloud, near in zip(x, neighbours.tolist(), strict=True)
            for i in range(11)
            for j in near[i]
        ]
    ).view(2, 11, 5, 7)
    mean, var = edges.mean(dim=(0, 1, 2)), edges.var(dim=(0, 1, 2), unbiased=False)
    expected = torch.nn.functional.leaky_relu((edges - mean) / (var + 1e-5).sqrt(), 0.2).amax(dim=2)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def test_the_graph_is_dynamic() -> None:
    net = backbones.make(lambda k: DGCNN(k, **NARROW))
    x = backbones.clouds()
    first = net.layers[0](x, nearest_points(x, x, 4))
    assert not torch.equal(nearest_points(first, first, 4), nearest_points(x, x, 4))


def test_it_has_the_published_size() -> None:
    net = DGCNN(40)
    # the authors' code for classification (github.com/WangYueFt/dgcnn, pytorch/model.py), layer by layer,
    # but for the 256 biases of a linear layer before a norm
    assert sum(p.numel() for p in net.parameters()) == 1_809_576 - 256
    # the computational requirements in Guo et al., "PCT: Point cloud transformer", 2021
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(1.81e6, rel=0.03)
    assert net.feature_dim == 2048


def test_float32_training_reduces_the_loss() -> None:
    points = torch.randn(8, 37, 3, generator=generator(0, "training"))
    with isolated(1, "training"):
        net = DGCNN(3, dropout=0.0, **NARROW)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(net(points), torch.arange(8) % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {"channels": (16, 32), "embedding": 128, "head": (64,), "k": 10, "dropout": 0.0}
    assert accuracy_after_training(lambda k: DGCNN(k, **small)) > 0.85


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0: give a whole number from 1"),
        ({"channels": ()}, "channels=\\(\\): give positive sizes, at least 1"),
        ({"head": (4, 0)}, "head=\\(4, 0\\): give positive sizes"),
        ({"embedding": 0}, "embedding=0"),
        ({"k": 0}, "k=0"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
        ({"dropout": 1.0}, "dropout=1.0: give a number from 0 to below 1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DGCNN(**{"num_classes": 3, **arguments})
