"""Sorting: values, permutation and derivatives are those of torch's stable sort."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from cl3d.ops import naive
from cl3d.ops.sorting import lexicographic_order, sort_rows
from cl3d.random import generator


def awkward(*shape: int) -> torch.Tensor:
    """Values of both signs with many ties, zeros of both signs and infinities among them."""
    x = torch.randn(*shape, generator=generator(0)).mul(2).round().div(2)
    x.view(-1)[::5] = -0.0
    x.view(-1)[1::7] = torch.inf
    x.view(-1)[2::11] = -torch.inf
    x.view(-1)[3::13] = 1e-42  # subnormal
    return x


@pytest.mark.parametrize("shape", [(13,), (3, 1), (3, 5, 13), (2, 3, 5, 7)])
def test_values_are_those_of_torch(shape):
    x = awkward(*shape)
    expected = x.sort(dim=-1).values
    assert torch.equal(sort_rows(x), expected)
    assert torch.equal(sort_rows(x.clone().requires_grad_()), expected)
    assert torch.equal(sort_rows(x.double()), expected.double())


def test_ties_share_the_gradient_as_torch_shares_it():
    x, weights = awkward(3, 5, 13).clamp(-9, 9), torch.randn(3, 5, 13, generator=generator(1))
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    (sort_rows(ours) * weights).sum().backward()
    (theirs.sort(dim=-1, stable=True).values * weights).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


def test_transforms_of_torch_func_run_through_it():
    x = torch.randn(3, 5, 7, generator=generator(5))
    assert torch.equal(torch.func.vmap(sort_rows)(x), sort_rows(x))
    leaf = x.clone().requires_grad_()
    sort_rows(leaf).sin().sum().backward()
    got = torch.func.grad(lambda t: sort_rows(t).sin().sum())(x)
    torch.testing.assert_close(got, leaf.grad)


def test_a_transposed_view_is_sorted_along_its_last_axis():
    x = torch.randn(3, 7, 5, generator=generator(2)).requires_grad_()
    assert torch.equal(sort_rows(x.mT), x.sort(dim=1).values.mT)
    assert torch.equal(sort_rows(x.detach().mT), x.detach().sort(dim=1).values.mT)


def test_derivatives_in_double_precision():
    x = torch.randn(3, 7, generator=generator(3), dtype=torch.float64).requires_grad_()
    assert gradcheck(sort_rows, x)
    assert gradgradcheck(lambda t: sort_rows(t).pow(3), x)


def test_without_a_graph_nothing_is_kept():
    x = torch.randn(3, 7, generator=generator(4)).requires_grad_()
    with torch.no_grad():
        assert not sort_rows(x).requires_grad


@pytest.mark.parametrize("keys", [1, 2, 3, 5])
def test_later_keys_decide_where_earlier_ones_tie(keys):
    # few values, so that whole rows tie too and keep their order
    draws = torch.randint(3, (keys, 7, 31), generator=generator(4)).sub(1).double()
    order = lexicographic_order(list(draws))
    assert torch.equal(order, naive.lexicographic_order(list(draws)))
