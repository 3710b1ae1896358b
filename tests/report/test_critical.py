"""Critical points by hand, and sets beside each other."""

from __future__ import annotations

import torch
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.models import Backbone, PointNet
from cl3d.random import generator
from cl3d.report.critical import critical_points, side_by_side


class Coordinates(Backbone):
    """Its feature is the largest of each coordinate."""

    feature_dim, num_classes = 3, 2

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 2)

    def point_features(self, points):
        return points

    def head(self, g):
        return self.last(g)


def test_the_largest_of_each_coordinate_are_critical():
    points = torch.tensor([[[0.0, 0, 0], [1, 0, -1], [0, 2, 0], [0, 0, -1], [1, 0, 3]]])
    assert critical_points(Coordinates(), points).tolist() == [[False, True, True, False, True]]


def test_other_points_do_not_matter_for_the_feature():
    net = PointNet(3, channels=(5, 11)).eval()
    points = torch.randn(2, 37, 3, generator=generator(0))
    marked = critical_points(net, points)
    assert 0 < int(marked[0].sum()) <= 11
    for cloud, mine in zip(points, marked, strict=True):
        assert torch.allclose(net.features(cloud[mine].unsqueeze(0)), net.features(cloud.unsqueeze(0)))


def test_sets_stand_beside_each_other_class_by_class():
    start = PointClouds(torch.randn(3, 7, 3, generator=generator(1)), torch.tensor([0, 2, 2]))
    end = PointClouds(torch.randn(3, 7, 3, generator=generator(2)), torch.tensor([0, 2, 2]))
    panels = side_by_side([("start", start), ("end", end)], ["a", "b", "c"], 2, None)
    titles = [panel.title for panel in panels]
    assert titles == ["a, start", "a, end", "c, start", "c, end", "c, start", "c, end"]
    assert panels[0].colours is None
    marked = side_by_side([("", start)], ["a", "b", "c"], 1, Coordinates())
    assert [panel.title for panel in marked] == ["a", "c"]
    assert set(marked[0].colours.tolist()) == {0, 1}


def test_a_part_has_one_colour_in_all_sets():
    points, labels = torch.randn(2, 4, 3, generator=generator(1)), torch.tensor([1, 1])
    real = PointClouds(points, labels, torch.tensor([[5, 5, 6, 7], [6, 6, 6, 6]]))
    small = PointClouds(points[:1], labels[:1], torch.tensor([[6, 6, 7, 7]]))
    panels = side_by_side([("real", real), ("set", small)], ["a", "b"], 1, None)
    assert [panel.colours.tolist() for panel in panels] == [[0, 0, 1, 2], [1, 1, 2, 2]]
