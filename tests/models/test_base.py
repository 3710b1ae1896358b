"""The two contracts: points that are no clouds of the network's channels are refused."""

from __future__ import annotations

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import DGCNN, PCTSegmentation, PointNet, VoxelNet
from cl3d.models.base import Net

SHAPES = [(5, 3), (2, 0, 3), (2, 5, 2), (2, 5, 4), (1, 2, 5, 3)]
CLASSES = torch.zeros(2, dtype=torch.int64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("build", [PointNet, DGCNN, VoxelNet, lambda k: PCTSegmentation(2, k)])
def test_points_of_another_shape_are_refused(build, shape: tuple[int, ...]) -> None:
    net: Net = build(3).eval()
    classes = [CLASSES] if isinstance(net, PCTSegmentation) else []
    message = r"points of shape .* for a network of in_channels=3: give \(b, p, 3\) with at least one point"
    with pytest.raises(InputError, match=message):
        net(torch.zeros(shape), *classes)
    assert net(torch.zeros(2, 5, 3), *classes).shape[0] == 2


def test_a_cloud_of_one_point_has_no_instance_statistics() -> None:
    with pytest.raises(InputError, match=r"has one value per channel to normalise: give more points$"):
        PointNet(3, norm="instance").eval()(torch.zeros(2, 1, 3))
    with pytest.raises(InputError, match=r"give more points, or use eval mode$"):
        PointNet(3)(torch.zeros(1, 1, 3))
