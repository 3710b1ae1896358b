"""Sorted feature maps and their kernel, against loops written straight from the papers."""

from __future__ import annotations

import math

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.distill.objectives.kernels import Sample, gaussian_mmd
from cl3d.distill.objectives.sorted_features import SortedFeatureMatching
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.ops.fps import fps_partition
from cl3d.ops.uniformity import uniformity
from cl3d.random import generator, isolated


def setting(points: int = 13):
    with isolated(0, "net"):
        net = PointNet(3, channels=(5, 11), head=(7,), norm="none").double().eval()
    real = torch.randn(7, 13, 3, generator=generator(1), dtype=torch.float64)
    synthetic = torch.randn(5, points, 3, generator=generator(2), dtype=torch.float64)
    return (
        net,
        PointClouds(real, torch.full((7,), 2)),
        PointClouds(synthetic.requires_grad_(), torch.full((5,), 2)),
    )


def twin_mmd(x, y):
    """Mean over all pairs of five Gaussians, bandwidths 2^-2 to 2^2 times the mean squared distance."""
    rows = [*x, *y]
    squares = [((a - b) ** 2).sum() for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
    mean = float(sum(squares).detach()) / len(squares)

    def kernel(a, b):
        return sum(torch.exp(-((a - b) ** 2).sum() / (mean * 2.0**i)) for i in range(-2, 3))

    def average(p, q):
        return sum(kernel(a, b) for a in p for b in q) / (len(p) * len(q))

    return average(x, x) + average(y, y) - 2 * average(x, y)


def twin_maps(net, points, absolute=False):
    features = net.point_features(points)
    features = features.abs() if absolute else features
    return torch.stack(
        [
            torch.stack([channel.sort(descending=True).values for channel in cloud.T]).flatten()
            for cloud in features
        ]
    )


def assert_same(value, expected, leaf):
    assert torch.allclose(value, expected, rtol=1e-9)
    (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
    (wanted,) = torch.autograd.grad(expected, leaf)
    assert torch.allclose(gradient, wanted, rtol=1e-7, atol=1e-13)
    assert bool((wanted != 0).any())


def test_mmd_by_the_formula():
    x = torch.randn(5, 3, generator=generator(3), dtype=torch.float64).requires_grad_()
    y = torch.randn(7, 3, generator=generator(4), dtype=torch.float64)
    assert_same(gaussian_mmd(x, y), twin_mmd(x, y), x)


def test_mmd_of_far_off_samples_keeps_its_digits():
    x = torch.randn(5, 3, generator=generator(3), dtype=torch.float64)
    y = torch.randn(7, 3, generator=generator(4), dtype=torch.float64)
    near, far = (gaussian_mmd((x + shift).float(), (y + shift).float()) for shift in (0, 1000))
    assert float(far) == pytest.approx(float(near), rel=1e-3)


def test_one_sample_serves_for_several_others():
    y = torch.randn(7, 3, generator=generator(4), dtype=torch.float64).requires_grad_()
    others = [torch.randn(n, 3, generator=generator(5, n), dtype=torch.float64) for n in (2, 5)]
    sample = Sample(y)
    once = sum(gaussian_mmd(x, sample) for x in others)
    assert_same(once, sum(twin_mmd(x, y) for x in others), y)


def test_mmd_of_two_points_by_hand():
    # one squared distance d, which is the mean, too: 2 · 5 - 2 · sum exp(-1 / w)
    value = gaussian_mmd(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    assert float(value) == pytest.approx(10 - 2 * sum(math.exp(-1 / w) for w in (0.25, 0.5, 1, 2, 4)))


def test_equal_samples_are_at_distance_zero_and_coinciding_ones_have_a_gradient():
    x = torch.randn(5, 3, generator=generator(3))
    assert float(gaussian_mmd(x, x)) == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 3, requires_grad=True)
    gaussian_mmd(same, torch.ones(2, 3)).backward()
    assert torch.equal(same.grad, torch.zeros(4, 3))


@pytest.mark.parametrize("absolute", [False, True])
def test_kernel_form_is_the_mmd_of_sorted_maps_and_of_features(absolute):
    net, real, synthetic = setting()
    objective = SortedFeatureMatching(alpha=0.3, beta=0.07, absolute=absolute)
    wanted, found = (twin_maps(net, clouds.points, absolute) for clouds in (real, synthetic))
    features = [net.point_features(c.points).max(dim=1).values for c in (real, synthetic)]
    expected = 0.3 * twin_mmd(wanted.detach(), found) + 0.07 * twin_mmd(features[0].detach(), features[1])
    assert_same(objective(net, real, synthetic), expected, synthetic.points)


def test_squared_form_is_the_distance_of_mean_sorted_maps():
    net, real, synthetic = setting()
    wanted, found = (twin_maps(net, clouds.points) for clouds in (real, synthetic))
    expected = 0.2 * ((wanted.mean(0).detach() - found.mean(0)) ** 2).sum() / 13
    assert_same(SortedFeatureMatching("squared", beta=0)(net, real, synthetic), expected, synthetic.points)


def test_coarser_clouds_are_compared_part_by_part():
    net, real, synthetic = setting(points=5)
    parts = fps_partition(real.points, 2, 5)
    whole = uniformity(real.points).mean()
    expected = 0.0
    for m in range(2):
        part = torch.stack([cloud[rows] for cloud, rows in zip(real.points, parts[:, m], strict=True)])
        weight = torch.exp(-7.0 * (whole - uniformity(part).mean()) ** 2)
        maps = twin_maps(net, part).detach(), twin_maps(net, synthetic.points)
        expected = expected + weight * 0.2 * twin_mmd(*maps)
    objective = SortedFeatureMatching(beta=0, strictness=7.0)
    assert_same(objective(net, real, synthetic), expected, synthetic.points)


def test_the_order_of_points_and_clouds_does_not_matter():
    net, real, synthetic = setting()
    objective = SortedFeatureMatching()
    value = objective(net, real, synthetic)
    for clouds in (real.points.flip(1), real.points.flip(0)):
        assert torch.allclose(objective(net, real.with_points(clouds), synthetic), value, rtol=1e-10)
    assert torch.allclose(objective(net, real, synthetic.with_points(synthetic.points.flip(1))), value)


def test_the_net_is_left_as_it_was():
    net, real, synthetic = setting()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    SortedFeatureMatching()(net, real, synthetic)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match="kernel, squared"):
        SortedFeatureMatching("cosine")
    with pytest.raises(InputError, match="alpha=0"):
        SortedFeatureMatching(alpha=0)
    with pytest.raises(InputError, match="beta=-1"):
        SortedFeatureMatching(beta=-1)
    net, real, synthetic = setting(points=17)
    with pytest.raises(InputError, match="have 17 points, the real ones 13"):
        SortedFeatureMatching()(net, real, synthetic)
