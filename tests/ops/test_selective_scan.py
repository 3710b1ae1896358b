"""The selective scan: its twin in values and derivatives, long sequences, decays of every strength."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.selective_scan import linear_scan, selective_scan
from cl3d.random import generator


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator(0, "scan", *shape), dtype=torch.float64)


def arguments(length: int, clouds: int = 2, channels: int = 5, states: int = 3) -> list[Tensor]:
    steps = draw(clouds, length, channels).exp()
    rates = -draw(channels, states).exp()
    sides = draw(2, clouds, length, states).unbind()
    return [x.requires_grad_() for x in (draw(clouds, length, channels), steps, rates, *sides)]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 13, 31, 64, 127])
def test_values_and_gradients_are_the_twins(length: int) -> None:
    inputs, weights, results = arguments(length), draw(2, length, 5), []
    for function in (selective_scan, naive.selective_scan):
        value = function(*inputs)
        results.append([value, *torch.autograd.grad((weights * value).sum(), inputs)])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_it_is_differentiable_twice(length: int) -> None:
    inputs = arguments(length, channels=2)
    assert torch.autograd.gradcheck(selective_scan, inputs)
    assert torch.autograd.gradgradcheck(selective_scan, inputs)


@pytest.mark.parametrize("length", [1, 3, 7])
def test_the_scan_takes_any_coefficients(length: int) -> None:
    inputs = [draw(2, length, 3).requires_grad_(), draw(2, length, 3, 1)[..., 0].flip(0).requires_grad_()]
    assert torch.autograd.gradcheck(linear_scan, inputs)
    assert torch.autograd.gradgradcheck(linear_scan, inputs)


def test_it_is_causal() -> None:
    inputs = arguments(11)
    changed = [x.detach().clone() for x in inputs]
    for i in (0, 1, 3, 4):
        changed[i][:, 7:] += 1
    before, after = selective_scan(*inputs), selective_scan(*changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.isclose(before[:, 7:], after[:, 7:]).all(dim=2).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rate", [0.0, -1e-6, -1.0, -1e4])
def test_long_sequences_and_strong_decays_stay_finite_and_exact(rate: float, dtype: torch.dtype) -> None:
    length = 2003
    x, steps, _, inputs, outputs = (t.detach().to(dtype) for t in arguments(length, 1, 3, 2))
    # sums of steps times rates far beyond what an exponential can hold, and all between
    rates = torch.full((3, 2), rate, dtype=dtype)
    given = [t.requires_grad_() for t in (x, steps, rates, inputs, outputs)]
    value = selective_scan(*given)
    expected = naive.selective_scan(*(t.detach().double() for t in given))
    scale = float(expected.abs().max())
    tolerance = 1e-12 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(value.detach().double(), expected, rtol=0, atol=tolerance * scale)
    for gradient in torch.autograd.grad(value.square().sum(), given):
        assert torch.isfinite(gradient).all()


def test_without_decay_it_is_a_sum() -> None:
    x = draw(1, 17, 2)
    ones = torch.ones(1, 17, 1, dtype=torch.float64)
    got = selective_scan(x, torch.ones_like(x), torch.zeros(2, 1, dtype=torch.float64), ones, ones)
    torch.testing.assert_close(got, x.cumsum(dim=1))


def test_it_can_be_mapped_over() -> None:
    decays, added = draw(3, 2, 7, 5).sigmoid(), draw(3, 2, 7, 5)
    got = torch.vmap(linear_scan)(decays, added)
    expected = torch.stack([linear_scan(a, b) for a, b in zip(decays, added, strict=True)])
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("wrong", range(5))
def test_shapes_that_do_not_fit_are_refused(wrong: int) -> None:
    inputs = arguments(7)
    inputs[wrong] = inputs[wrong][..., :2]
    with pytest.raises(InputError, match="give \\(b, l, d\\) twice with l from 1"):
        selective_scan(*inputs)
