"""Objectives through nets that segment: against plain twins in float64, and what they must keep."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.distill import (
    Budget,
    Condenser,
    DistributionMatching,
    Fresh,
    GradientMatching,
    PartGradientMatching,
    SortedFeatureMatching,
    WholeGradientMatching,
)
from cl3d.distill.objectives.gradient import gradient_distance
from cl3d.distill.objectives.kernels import gaussian_mmd
from cl3d.distill.views import mean_loss, shared_parts
from cl3d.models import PointNet, PointNetSegmentation, SegmentationNet
from cl3d.random import generator, isolated
from cl3d.testing.condensers import blobs

DISTANCES = ["layer_cosine", "row_cosine", "mse"]


def a_net(**changes) -> PointNetSegmentation:
    settings = {"channels": (5, 11), "hidden": (7,), "transforms": False, "dropout": 0.0, "norm": "none"}
    with isolated(0, "net"):
        return PointNetSegmentation(3, 9, **(settings | changes)).double().eval()


def both() -> tuple[PointClouds, PointClouds]:
    """Real and synthetic clouds of one class, in different numbers of points."""
    clouds = blobs(num_points=17).with_local_labels()
    real = clouds.with_points(clouds.points.double()).of_class(1)
    synthetic = real[:2].take_points(torch.arange(13).expand(2, -1))
    moved = synthetic.points + 0.1 * torch.randn(2, 13, 3, generator=generator(1), dtype=torch.float64)
    return real, synthetic.with_points(moved.requires_grad_())


def naive_part_gradients(net: SegmentationNet, clouds: PointClouds, part: int, create_graph: bool):
    """Of the mean over the points of one part, one after the other."""
    logits, losses = net(clouds.points, clouds.labels), []
    for cloud in range(len(clouds)):
        for point in range(clouds.num_points):
            if clouds.parts[cloud, point] == part:
                losses.append(-logits[cloud, point].log_softmax(dim=0)[part])
    weights = [p for p in net.parameters() if p.ndim > 1]
    return torch.autograd.grad(sum(losses) / len(losses), weights, create_graph=create_graph)


@pytest.mark.parametrize("distance", DISTANCES)
def test_part_gradients_are_their_twin(distance):
    net, (real, synthetic) = a_net(), both()
    parts = sorted(set(real.parts.flatten().tolist()) & set(synthetic.parts.flatten().tolist()))
    assert shared_parts(real, synthetic) == parts
    assert len(parts) == 3
    expected = sum(
        gradient_distance(
            naive_part_gradients(net, real, part, False),
            naive_part_gradients(net, synthetic, part, True),
            distance,
        )
        for part in parts
    )
    found = PartGradientMatching(distance)(net, real, synthetic)
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    wanted, gradient = (torch.autograd.grad(value, synthetic.points)[0] for value in (expected, found))
    assert torch.allclose(gradient, wanted, rtol=1e-7, atol=1e-12)
    assert bool(gradient.any())


def test_the_derivative_of_part_gradients_is_right():
    net, (real, synthetic) = a_net(), both()

    def distance(points):
        return PartGradientMatching("layer_cosine")(net, real, synthetic.with_points(points))

    torch.autograd.gradcheck(distance, synthetic.points, eps=1e-7, atol=1e-4)


def test_parts_weighted_by_their_points_make_the_whole():
    net, (real, _) = a_net(), both()
    weights = [p for p in net.parameters() if p.ndim > 1]
    whole = torch.autograd.grad(mean_loss(net, real), weights)
    of_parts = [
        [
            float((real.parts == part).double().mean()) * g
            for g in naive_part_gradients(net, real, part, False)
        ]
        for part in real.parts.unique().tolist()
    ]
    for total, *shares in zip(whole, *of_parts, strict=True):
        assert torch.allclose(total, sum(shares), atol=1e-12)


def test_the_loss_is_that_of_all_points():
    net, (real, _) = a_net(), both()
    expected = nn.functional.cross_entropy(net(real.points, real.labels).flatten(0, 1), real.parts.flatten())
    assert mean_loss(net, real).item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("objective", [PartGradientMatching(), DistributionMatching()])
def test_parts_that_either_lacks_do_not_count(objective):
    net, (real, synthetic) = a_net(), both()
    lacking = replace(synthetic, parts=torch.where(synthetic.parts == 5, 4, synthetic.parts))
    assert bool((real.parts == 5).any())
    renamed = replace(real, parts=torch.where(real.parts == 5, 8, real.parts))
    assert objective(net, real, lacking).item() != objective(net, real, synthetic).item()
    if isinstance(objective, DistributionMatching):  # what the missing part is called does not matter
        assert objective(net, renamed, lacking).item() == objective(net, real, lacking).item()
    none_shared = replace(synthetic, parts=torch.zeros_like(synthetic.parts))
    distance = objective(net, real, none_shared)
    assert distance.item() == 0
    distance.backward()


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_of_whole_shapes_and_parts_are_matched_in_turn(distance):
    objective = GradientMatching(distance)
    turns = [objective.at(iteration) for iteration in range(4)]
    assert turns == [objective, PartGradientMatching(distance)] * 2
    for always in (PartGradientMatching(distance), WholeGradientMatching(distance)):
        assert [always.at(iteration) for iteration in range(3)] == [always] * 3
    net, (real, synthetic) = a_net(), both()
    whole, parts = (turn(net, real, synthetic).item() for turn in turns[:2])
    assert whole != parts
    assert WholeGradientMatching(distance)(net, real, synthetic).item() == whole


def test_the_loop_takes_the_turns():
    seen = []

    class Watching(GradientMatching):
        def at(self, iteration):
            seen.append((iteration, type(super().at(iteration)).__name__))
            return super().at(iteration)

    condenser = Condenser(objective=Watching(), surrogates=Fresh(), iterations=3)
    model = lambda classes: PointNetSegmentation(  # noqa: E731
        classes, 9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
    )
    synthetic = condenser(blobs(), budget=Budget(ppc=1), model=model)
    assert seen == [(0, "Watching"), (1, "PartGradientMatching"), (2, "Watching")]
    assert synthetic.info["moved_mean"] > 0


def test_through_networks_that_classify_part_gradients_are_those_of_whole_shapes():
    with isolated(0, "net"):
        net = PointNet(3, channels=(5, 11), head=(7,)).double().eval()
    real, synthetic = (clouds.without_parts() for clouds in both())
    distances = [
        objective(net, real, synthetic).item() for objective in (PartGradientMatching(), GradientMatching())
    ]
    assert distances[0] == distances[1]


def test_mean_features_of_parts_are_their_twin():
    net, (real, synthetic) = a_net(), both()
    expected = torch.zeros((), dtype=torch.float64)
    for part in (3, 4, 5):
        means = []
        for clouds in (real, synthetic):
            features = net.point_features(clouds.points, clouds.labels)
            peaks = [
                f[own == part].amax(dim=0)
                for f, own in zip(features, clouds.parts, strict=True)
                if (own == part).any()
            ]
            means.append(sum(peaks) / len(peaks))
        expected = expected + (means[0] - means[1]).square().sum()
    found = DistributionMatching()(net, real, synthetic)
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    wanted, gradient = (torch.autograd.grad(value, synthetic.points)[0] for value in (expected, found))
    assert torch.allclose(gradient, wanted, rtol=1e-9)


@pytest.mark.parametrize("form", ["kernel", "squared"])
def test_sorted_features_of_points_are_their_twin(form):
    net, (real, synthetic) = a_net(), both()
    real = real.take_points(torch.arange(13).expand(len(real), -1))
    maps = [net.point_features(c.points, c.labels).sort(dim=1).values for c in (real, synthetic)]
    peaks = [sorted_map[:, -1] for sorted_map in maps]
    if form == "kernel":
        expected = 0.2 * gaussian_mmd(*(m.mT.flatten(1) for m in maps))
    else:
        gap = maps[0].mean(dim=0) - maps[1].mean(dim=0)
        expected = 0.2 * gap.square().mean(dim=0).sum()
    expected = expected + 1e-3 * gaussian_mmd(*peaks)
    found = SortedFeatureMatching(form)(net, real, synthetic)
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    coarse = synthetic.take_points(torch.arange(5).expand(2, -1))
    distance = SortedFeatureMatching(form)(net, real, coarse)
    assert bool(torch.autograd.grad(distance, synthetic.points)[0].any())
