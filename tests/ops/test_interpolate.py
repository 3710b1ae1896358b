"""Three-nearest interpolation: against the plain twin in value and derivatives, and by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.interpolate import interpolate
from cl3d.random import generator


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator(0, "interpolate", *shape), dtype=torch.float64)


@pytest.mark.parametrize("points", [1, 2, 3, 11])
def test_values_and_gradients_are_the_twins(points):
    inputs = [x.requires_grad_() for x in (draw(2, points, 5), draw(2, points, 3), draw(2, 7, 3))]
    weights, results = draw(2, 7, 5), []
    for function in (interpolate, naive.interpolate):
        value = function(*inputs)
        results.append([value, *torch.autograd.grad((weights * value).sum(), inputs)])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-11)


def test_it_is_differentiable_twice():
    inputs = tuple(x.requires_grad_() for x in (draw(2, 5, 2), draw(2, 5, 3), draw(2, 3, 3)))
    assert torch.autograd.gradcheck(interpolate, inputs)
    assert torch.autograd.gradgradcheck(interpolate, inputs)


def test_an_interpolation_by_hand():
    points = torch.tensor([[[0.0, 0, 0], [3, 0, 0], [0, 2, 0], [9, 9, 9]]], dtype=torch.float64)
    features = torch.tensor([[[36.0], [72], [108], [1000]]], dtype=torch.float64)
    queries = torch.tensor([[[1.0, 0, 0], [0, 2, 0]]], dtype=torch.float64)
    # weights 1, 1/4 and 1/5; then a query at a point
    expected = torch.tensor([[[(36 + 18 + 21.6) / 1.45], [108]]], dtype=torch.float64)
    torch.testing.assert_close(interpolate(features, points, queries), expected, rtol=1e-6, atol=0)


def test_points_that_coincide_have_finite_gradients():
    points = torch.zeros(1, 5, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(interpolate(draw(1, 5, 2), points, points).square().sum(), points)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("features", [draw(2, 4, 5), draw(2, 5)])
def test_what_does_not_fit_is_refused(features):
    with pytest.raises(InputError, match="give \\(n, p, d\\) and \\(n, p, 3\\)"):
        interpolate(features, draw(2, 5, 3), draw(2, 7, 3))
