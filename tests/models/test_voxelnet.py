"""VoxelNet: the contract, the grid by hand and by its gradient, the published size."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import VoxelNet
from cl3d.models.layers import NORMS
from cl3d.models.voxelnet import SMALLEST_GRID, voxels
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {"grid": 13, "extent": 2.0, "channels": (3, 5), "head": (7,)}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: VoxelNet(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: VoxelNet(k, in_channels=channels, norm="batch", **NARROW))


def test_the_smallest_grid_keeps_the_contract() -> None:
    check_backbone(lambda k: VoxelNet(k, **{**NARROW, "grid": SMALLEST_GRID, "head": ()}))


def test_a_single_point_is_a_cloud() -> None:
    net = backbones.make(lambda k: VoxelNet(k, **NARROW))
    assert net(backbones.clouds(p=1)).shape == (4, 5)


def test_the_grid_is_a_loop_over_points_and_corners() -> None:
    points = backbones.clouds(n=3, p=17)
    for cloud, got in zip(points.tolist(), voxels(points, 5, 0.8)[:, 0], strict=True):
        sums = torch.zeros(5, 5, 5, dtype=torch.float64)
        for point in cloud:
            places = [(min(max(x / 0.8, -1), 1) + 1) * 2 for x in point]
            for cell in itertools.product(range(5), repeat=3):
                hats = [max(0.0, 1 - abs(place - i)) for place, i in zip(places, cell, strict=True)]
                sums[cell] += math.prod(hats)
        torch.testing.assert_close(got, 1 - torch.exp(-sums), rtol=1e-10, atol=1e-12)


def test_a_cell_has_the_sum_of_its_features_over_one_more_than_its_weight() -> None:
    points = torch.tensor([[[-1.0, 0, 1, 6], [-1, 0, 1, 9], [0, 5, 0, 8]]])
    grid = voxels(points, 3, 1.0)[0, 1]
    assert grid.nonzero().tolist() == [[0, 1, 2], [1, 2, 1]]
    assert (float(grid[0, 1, 2]), float(grid[1, 2, 1])) == ((6 + 9) / 3, 8 / 2)


def test_a_point_on_a_cell_fills_it_alone() -> None:
    points = torch.tensor([[[-1.0, 0, 1], [-1, 0, 1], [0, 5, 0]]])
    grid = voxels(points, 3, 1.0)[0, 0]
    assert grid.nonzero().tolist() == [[0, 1, 2], [1, 2, 1]]
    torch.testing.assert_close(grid[0, 1, 2], torch.tensor(1 - math.exp(-2)))
    torch.testing.assert_close(grid[1, 2, 1], torch.tensor(1 - math.exp(-1)))


def test_the_grid_is_differentiable_twice() -> None:
    points = (0.3 * backbones.clouds(n=2, p=5, channels=4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: voxels(x, 5, 1.0), (points,))
    assert torch.autograd.gradgradcheck(lambda x: voxels(x, 5, 1.0), (points,))


def test_it_has_the_published_size() -> None:
    # the number that the paper gives, most of them in the first dense layer
    assert sum(p.numel() for p in VoxelNet(40).parameters()) == 921_736


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {"grid": 16, "head": (64,), "dropout": 0.0}
    assert accuracy_after_training(lambda k: VoxelNet(k, **small)) > 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"grid": SMALLEST_GRID - 1}, "leaves no cell after the pool: give at least 11"),
        ({"extent": 0.0}, "extent=0.0: give a number above 0"),
        ({"channels": (3,)}, "channels=\\(3,\\): give positive sizes, at least 2"),
        ({"channels": (3, 4, 5)}, "channels=\\(3, 4, 5\\): give those of 2 convolutions"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        VoxelNet(**{"num_classes": 3, **arguments})
