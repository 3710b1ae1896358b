"""PointNet for part segmentation: the contract, what a point is given, the size of the authors' net."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PointNetSegmentation
from cl3d.testing import segmentation
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {"channels": (5, 7, 6, 11), "hidden": (13, 7)}


@pytest.mark.parametrize("transforms", [True, False])
@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_flavour_keeps_the_contract(norm: str, transforms: bool) -> None:
    check_segmentation(lambda s, p: PointNetSegmentation(s, p, norm=norm, transforms=transforms, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PointNetSegmentation(s, p, in_channels=channels, **NARROW))


class Pointless(PointNetSegmentation):
    def point_features(self, points, shape_class):
        features = super().point_features(points, shape_class)
        return features.mean(dim=1, keepdim=True).expand_as(features)


class Classless(PointNetSegmentation):
    def point_features(self, points, shape_class):
        return super().point_features(points, torch.zeros_like(shape_class))


class FirstPoint(PointNetSegmentation):
    def point_features(self, points, shape_class):
        return super().point_features(points - points[:, :1], shape_class)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Pointless, "all points of a cloud have the same logits"),
        (Classless, "the class of a shape does not count"),
        (FirstPoint, "the order of points matters"),
    ],
)
def test_the_contract_finds_a_wrong_net(wrong: type[PointNetSegmentation], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_segmentation(lambda s, p: wrong(s, p, **NARROW))


def test_a_point_is_given_all_maps_their_max_and_the_class() -> None:
    net = segmentation.make(lambda s, p: PointNetSegmentation(s, p, norm="none", transforms=False, **NARROW))
    x = clouds()
    maps, y = [], x
    for layer in net.layers:
        y = layer.linear(y).relu()
        maps.append(y)
    one_hot = torch.eye(3, dtype=torch.float64)[segmentation.classes()]
    whole = torch.cat([y.amax(dim=1), one_hot], dim=1).unsqueeze(1).expand(-1, x.shape[1], -1)
    joined = net.hidden.join.linear(torch.cat([*maps, whole], dim=2)).relu()
    expected = net.classifier(net.hidden.layers[0].linear(joined).relu())
    torch.testing.assert_close(net(x, segmentation.classes()), expected)


def test_it_has_the_size_of_the_authors_net() -> None:
    net = PointNetSegmentation(16, 50)
    # github.com/charlesq34/pointnet, part_seg/pointnet_part_seg.py: 4,944 values of a point enter the last
    # layers; their two transforms, five shared layers and four last ones, but for biases before a norm
    assert sum(net.hidden.join.sizes) == 4944
    sizes = {
        "point_transform": [(3, 64), (64, 128), (128, 1024), (1024, 128), (128, 128)],
        "feature_transform": [(128, 256), (256, 1024), (1024, 512), (512, 256)],
        "shared": [(3, 64), (64, 128), (128, 128), (128, 512), (512, 2048)],
        "last": [(4944, 256), (256, 256), (256, 128)],
    }
    normed = sum(a * b + 2 * b for layers in sizes.values() for a, b in layers)
    plain = (128 * 9 + 9) + (256 * 128**2 + 128**2) + (128 * 50 + 50)
    assert sum(p.numel() for p in net.parameters()) == normed + plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_shapes": 0}, "num_shapes=0: give a whole number from 1"),
        ({"num_parts": 0}, "num_parts=0: give a whole number from 1"),
        ({"in_channels": 2}, "in_channels=2: give a whole number from 3"),
        ({"channels": (3, 4)}, "give at least 3"),
        ({"hidden": ()}, "hidden=\\(\\)"),
        ({"norm": "instance"}, "takes away what all points of a cloud share"),
        ({"norm": "layer"}, "is unknown"),
        ({"dropout": 1.0}, "dropout=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointNetSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})


@pytest.mark.parametrize(
    "shape_class",
    [torch.tensor([0, 1, 3, 0]), torch.tensor([-1, 0, 0, 0]), torch.zeros(3).long(), torch.zeros(4)],
)
def test_a_class_that_does_not_exist_is_refused(shape_class: torch.Tensor) -> None:
    net = PointNetSegmentation(3, 5, **NARROW).eval()
    with pytest.raises(InputError, match="give a class from 0 to 2 for each, in int64"):
        net(clouds().float(), shape_class)
