"""DGCNN for part segmentation: the contract, an EdgeConv of two layers as a loop, the published size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import DGCNNSegmentation
from cl3d.models.dgcnn_segmentation import DeepEdgeConv
from cl3d.ops.grouping import nearest_points
from cl3d.random import isolated
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {"channels": ((5, 7), (6,)), "embedding": 11, "label": 5, "hidden": (13, 7), "k": 4}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: DGCNNSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: DGCNNSegmentation(s, p, in_channels=channels, transform=False, **NARROW))


def test_the_transform_keeps_features() -> None:
    net = DGCNNSegmentation(3, 5, in_channels=4, **NARROW).double().eval()
    with torch.no_grad():
        net.transform.classifier[-1].bias.mul_(2)
    x = clouds(channels=4)
    places = x[..., :3]
    turned = net.transform(x, nearest_points(places, places, 4))
    torch.testing.assert_close(turned, torch.cat([2 * places, x[..., 3:]], dim=2))


def test_an_edge_convolution_of_two_layers_is_a_loop_over_edges() -> None:
    with isolated(0, "edges"):
        layer = DeepEdgeConv(3, (7, 5), "none").double()
    x = clouds(n=2, p=11)
    neighbours = nearest_points(x, x, 4)
    for cloud, near, got in zip(x, neighbours.tolist(), layer(x, neighbours), strict=True):
        for i in range(11):
            edges = torch.stack([torch.cat([cloud[j] - cloud[i], cloud[i]]) for j in near[i]])
            hidden = torch.nn.functional.leaky_relu(layer.first.linear(edges), 0.2)
            expected = torch.nn.functional.leaky_relu(layer.layers[0].linear(hidden), 0.2).amax(dim=0)
            torch.testing.assert_close(got[i], expected)


def test_it_has_the_size_of_the_authors_net() -> None:
    parameters = sum(p.numel() for p in DGCNNSegmentation(16, 50).parameters())
    # layer by layer as in github.com/antao97/dgcnn.pytorch (DGCNN_partseg), whose last layer has no bias
    assert parameters == 1_460_361 + 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_shapes": 0}, "num_shapes=0"),
        ({"channels": ()}, "channels=\\(\\)"),
        ({"channels": ((3,), ())}, "channels"),
        ({"hidden": ()}, "hidden=\\(\\)"),
        ({"k": 0}, "k=0"),
        ({"label": 0}, "label=0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DGCNNSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
