"""Objectives against twins written straight from the papers, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cl3d.clouds import PointClouds
from cl3d.distill.objectives import DistributionMatching, GradientMatching
from cl3d.distill.objectives.gradient import gradient_distance
from cl3d.models import PointNet
from cl3d.random import generator, isolated


def setting(norm: str = "none"):
    with isolated(0, "net"):
        net = PointNet(3, channels=(5, 11), head=(7,), norm=norm).double().eval()
    points = torch.randn(17, 13, 3, generator=generator(1), dtype=torch.float64)
    labels = torch.full((17,), 2)
    return net, PointClouds(points[:12], labels[:12]), PointClouds(points[12:], labels[12:])


def twin_layer_cosine(real, synthetic):
    """The PCC paper, eq. 18: sum over layers of one minus the cosine of the gradients."""
    total = 0.0
    for r, s in zip(real, synthetic, strict=True):
        r, s = r.reshape(-1), s.reshape(-1)
        total = total + 1 - torch.dot(r, s) / (r.norm() * s.norm() + 1e-6)
    return total


def twin_row_cosine(real, synthetic):
    """The same per output row, as gradient matching was published for images."""
    total = 0.0
    for r, s in zip(real, synthetic, strict=True):
        for row_r, row_s in zip(r.flatten(1), s.flatten(1), strict=True):
            if (row_r != 0).any():
                total = total + 1 - torch.dot(row_r, row_s) / (row_r.norm() * row_s.norm() + 1e-6)
    return total


def twin_mse(real, synthetic):
    return sum(((r - s) ** 2).mean() for r, s in zip(real, synthetic, strict=True))


TWINS = {"layer_cosine": twin_layer_cosine, "row_cosine": twin_row_cosine, "mse": twin_mse}


@pytest.mark.parametrize("norm", ["none", "instance", "batch"])
@pytest.mark.parametrize("distance", TWINS)
def test_gradient_matching_is_the_plain_loop(distance, norm):
    net, real, synthetic = setting(norm)
    leaf = synthetic.points.requires_grad_()
    value = GradientMatching(distance)(net, real, PointClouds(leaf, synthetic.labels))
    (gradient,) = torch.autograd.grad(value, leaf)

    weights = [p for p in net.parameters() if p.ndim > 1]
    loss = nn.functional.cross_entropy(net.head(net.pool(net.point_features(real.points))), real.labels)
    targets = torch.autograd.grad(loss, weights)
    loss = nn.functional.cross_entropy(net.head(net.pool(net.point_features(leaf))), synthetic.labels)
    moving = torch.autograd.grad(loss, weights, create_graph=True)
    expected = TWINS[distance](targets, moving)
    (expected_gradient,) = torch.autograd.grad(expected, leaf)
    assert torch.allclose(value, expected, rtol=1e-9)
    assert torch.allclose(gradient, expected_gradient, rtol=1e-7, atol=1e-12)


def test_mean_features_by_the_formula():
    net, real, synthetic = setting()
    leaf = synthetic.points.requires_grad_()
    value = DistributionMatching()(net, real, PointClouds(leaf, synthetic.labels))
    difference = (
        sum(net.pool(net.point_features(real.points))) / 12 - sum(net.pool(net.point_features(leaf))) / 5
    )
    expected = sum(d * d for d in difference)
    assert torch.allclose(value, expected, rtol=1e-12)
    (gradient,), (expected_gradient,) = torch.autograd.grad(value, leaf), torch.autograd.grad(expected, leaf)
    assert torch.allclose(gradient, expected_gradient, rtol=1e-9)


@pytest.mark.parametrize("objective", [DistributionMatching(), *map(GradientMatching, TWINS)])
def test_the_net_is_left_as_it_was(objective):
    net, real, synthetic = setting("batch")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    objective(net, real, synthetic.with_points(synthetic.points.requires_grad_()))
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("distance", TWINS)
def test_equal_gradients_are_at_distance_zero(distance):
    real = [10 * torch.randn(5, 7, generator=generator(3), dtype=torch.float64)]
    assert abs(float(gradient_distance(real, real, distance))) < 1e-6  # the guard keeps the cosine off zero


def test_equal_clouds_have_equal_mean_features():
    net, real, _ = setting()
    assert float(DistributionMatching()(net, real, real).detach()) == 0


@pytest.mark.parametrize("distance", TWINS)
def test_zero_gradients_have_finite_derivatives_of_the_second_order(distance):
    real = [torch.ones(3, 5, dtype=torch.float64), torch.zeros(2, 7, dtype=torch.float64)]
    real[0][1] = 0
    source = torch.zeros(3, 5, dtype=torch.float64, requires_grad=True)
    moving = [source * 2, torch.ones(2, 7, dtype=torch.float64) * source.sum()]
    (first,) = torch.autograd.grad(gradient_distance(real, moving, distance), source, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), source, allow_unused=True, materialize_grads=True)
    assert torch.isfinite(first).all()
    assert torch.isfinite(second).all()


def test_a_layer_without_real_gradient_counts_nothing_under_the_cosines():
    real, moving = [torch.zeros(3, 5)], [torch.ones(3, 5)]
    assert float(gradient_distance(real, moving, "layer_cosine")) == 0
    assert float(gradient_distance(real, moving, "row_cosine")) == 0
